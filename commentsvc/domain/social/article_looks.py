"""Looks at articles' pages for their posts on social networks: after a reader opened them, and at most once a day."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from commentsvc import match_keys
from commentsvc.db.rows import take_first
from commentsvc.db.session import begin_write
from commentsvc.domain import article_urls
from commentsvc.domain.social import links, networks
from commentsvc.domain.social.networks import Networks
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import BadAddressError
from commentsvc.models import ArticleLook, FoundBy, Site, SocialOrigin

if TYPE_CHECKING:
    from commentsvc.integrations.article_links import PageLinks

AGAIN = timedelta(days=1)
BATCH = 3
"""Pages per round."""
MOST_WANTED = 200
"""Articles of a site that wait to be looked at: whoever opens invented addresses cannot add more."""
KEPT = timedelta(days=60)


ReadLinks = Callable[[str, frozenset[str]], "PageLinks | None"]
"""Fetches a page, but only from these origins; None if there is no answer."""


@dataclass(frozen=True)
class _Article:
    site_id: int
    key_hash: str
    url: str
    page_id: str
    origins: frozenset[str]


def hash_of(address: ThreadAddress) -> str:
    """Return what identifies an article among those to be looked at."""
    return hashlib.sha256(address.key.encode()).hexdigest()


def is_due(session: Session, address: ThreadAddress, *, at: datetime) -> bool:
    """Whether a reader's visit makes it due to look at the article's page."""
    look = session.get(ArticleLook, (address.site.id, hash_of(address)), populate_existing=True)
    if look is None:
        return True
    return look.wanted_at is None and (look.read_at is None or look.read_at <= at - AGAIN)


def due_at(session: Session, address: ThreadAddress) -> datetime | None:
    """Return when the article's page is due next; None if it never was looked at."""
    look = session.get(ArticleLook, (address.site.id, hash_of(address)), populate_existing=True)
    return look.read_at + AGAIN if look is not None and look.read_at is not None else None


def want(session: Session, address: ThreadAddress, *, at: datetime) -> None:
    """Note that a reader opened the article. Needs `begin_write`; the caller commits."""
    if not is_due(session, address, at=at):
        return
    waiting = select(func.count()).where(
        ArticleLook.site_id == address.site.id, ArticleLook.wanted_at.is_not(None)
    )
    if (session.scalar(waiting) or 0) >= MOST_WANTED:
        return
    page_id = match_keys.page_id(address.key)
    look = ArticleLook(site_id=address.site.id, key_hash=hash_of(address), url=address.url, page_id=page_id)
    look = session.merge(look)
    look.wanted_at = at
    session.flush()


def run_due(
    session: Session,
    known: Networks,
    read: ReadLinks,
    *,
    at: datetime,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Look at the pages that wait, at most `BATCH`, and connect their posts; return how many. Commits."""
    looked = 0
    while looked < BATCH and not stopped():
        article = _take(session, at)
        if article is None:
            break
        looked += 1
        page = read(article.url, article.origins)
        if page is not None:
            _connect(session, known, article, page, at)
    return looked


def _take(session: Session, at: datetime) -> _Article | None:
    waits = text("wanted_at IS NOT NULL")  # exactly as in the partial index
    look = take_first(session, select(ArticleLook).where(waits).order_by(ArticleLook.wanted_at))
    if look is None:
        return None
    look.wanted_at, look.read_at, look.tries = None, at, look.tries + 1
    origins = {origin.origin for origin in session.get_one(Site, look.site_id).origins}
    article = _Article(look.site_id, look.key_hash, look.url, look.page_id, frozenset(origins))
    session.commit()
    return article


def _connect(session: Session, known: Networks, article: _Article, page: PageLinks, at: datetime) -> None:
    """Connect the posts that a page names; a thread is made only if there are any."""
    begin_write(session)
    site = session.get_one(Site, article.site_id)
    addresses: dict[SocialOrigin, str] = {}
    for origin in networks.switched_on(site) & known.keys():
        if address := known[origin].find(page):
            addresses[origin] = address
    if addresses and _is_same_article(site, article, page.url):
        thread = threads.find_or_create(
            session, threads.address_on(site, article.url, page_id=article.page_id), title=None, at=at
        )
        for origin, address in addresses.items():
            links.connect(session, thread, origin, address, by=FoundBy.ARTICLE, at=at)
    session.commit()


def _is_same_article(site: Site, article: _Article, url: str) -> bool:
    """Whether the page that answered, perhaps after redirects, is the article."""
    if article.page_id:
        return True
    ignored = site.ignored_parameters or ""
    try:
        keys = [article_urls.thread_key(article_urls.canonical(each, ignored)) for each in (article.url, url)]
    except BadAddressError:
        return False
    return keys[0] == keys[1]
