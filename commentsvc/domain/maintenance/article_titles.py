"""Reads articles' titles from their pages, after a comment was approved and at most once a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from commentsvc.db.rows import take_first
from commentsvc.db.session import begin_write
from commentsvc.domain import article_urls, fields
from commentsvc.domain.threads import threads, titles
from commentsvc.errors import BadAddressError
from commentsvc.models import Thread, TitleSource

if TYPE_CHECKING:
    from commentsvc.integrations.article_page import ArticlePage

EVERY = timedelta(days=1)
BATCH = 5
"""Articles per round, so that mail does not wait long for slow pages."""
_PLACEHOLDER_LONGEST = 3
"""Words before an ellipsis in a placeholder such as "Loading…", in any language."""


Read = Callable[[str, frozenset[str]], "ArticlePage | None"]
"""Fetches a page, but only from these origins; None if there is no answer."""


@dataclass(frozen=True)
class _Article:
    thread_id: int
    url: str
    origins: frozenset[str]


def refresh(
    session: Session, read: Read, *, at: datetime, stopped: Callable[[], bool] = lambda: False
) -> int:
    """Read the titles that are due, at most `BATCH`, and return how many articles were asked. Commits.

    No other process asks the same articles, and no transaction is open during a request.
    """
    asked = 0
    while asked < BATCH and not stopped():
        article = _next_articles(session, at)
        if article is None:
            break
        asked += 1
        title = _title(session, article, read)
        if title:
            _store(session, article, title)
    return asked


def _next_articles(session: Session, at: datetime) -> _Article | None:
    due = (
        text("title_tries > 0"),  # exactly as in the partial index
        or_(Thread.title_checked_at.is_(None), Thread.title_checked_at <= at - EVERY),
        or_(Thread.title_source.is_(None), Thread.title_source != TitleSource.MODERATOR),
        Thread.approved_count > 0,
    )
    thread = take_first(session, select(Thread).where(*due).order_by(Thread.id))
    if thread is None:
        return None
    thread.title_checked_at, thread.title_tries = at, thread.title_tries - 1
    origins = frozenset(origin.origin for origin in thread.site.origins)
    article = _Article(thread.id, thread.url, origins)
    session.commit()
    return article


def _title(session: Session, article: _Article, read: Read) -> str | None:
    """Return the article's title; None if its page has none."""
    session.rollback()
    page = read(article.url, article.origins)
    title = fields.title(page.title) if page else None
    if page is None or title is None or _is_placeholder(title) or not _is_of(session, article, page.url):
        return None
    front = f"{article_urls.origin_of(page.url)}/"
    if page.url != front:
        # A title that the front page has too is the website's name, a login page or a loading application, not the
        # article's title.
        other = read(front, article.origins)
        if other is not None and fields.title(other.title) == title:
            return None
    return title


def _is_placeholder(title: str) -> bool:
    return title.endswith(("…", "...")) and len(title.split()) <= _PLACEHOLDER_LONGEST


def _is_of(session: Session, article: _Article, url: str) -> bool:
    """Whether the URL that answered, perhaps after redirects, belongs to this thread."""
    try:
        keys = [article_urls.thread_key(article_urls.canonical(one)) for one in (article.url, url)]
    except BadAddressError:
        return False
    if keys[0] == keys[1]:
        return True
    thread = session.get(Thread, article.thread_id)
    other_thread = threads.find(session, threads.address_on(thread.site, url)) if thread is not None else None
    session.rollback()
    return other_thread is not None and other_thread.id == article.thread_id


def _store(session: Session, article: _Article, title: str) -> None:
    begin_write(session)
    threads.lock(session, article.thread_id)
    thread = session.get(Thread, article.thread_id, populate_existing=True)
    if thread is not None and thread.url == article.url:
        thread.title_tries = 0
        titles.from_article(session, thread, title)
    session.commit()
