"""Webmentions (W3C): other websites say that they mention an article; the background work verifies them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import Session

from commentsvc.db.rows import take_first
from commentsvc.db.session import begin_write
from commentsvc.domain import article_urls
from commentsvc.domain.bans import bans
from commentsvc.domain.sites import known_sites
from commentsvc.domain.social import mention_posts, posts, social_post
from commentsvc.domain.social.mention_posts import ReadSource
from commentsvc.domain.threads import threads
from commentsvc.errors import BadAddressError, InvalidFieldsError, TooManyError
from commentsvc.models import MentionKind, MentionState, Site, Thread, Webmention

if TYPE_CHECKING:
    from commentsvc.integrations.webmention_source import MentionSource

URL_LONGEST = 2000
PER_HOST = 60
"""Webmentions that one host may send to a site in an hour."""
MOST_WAITING = 1000
"""Webmentions of a site that wait to be verified."""
BATCH = 5
"""Sources per round."""
RETRIES = (timedelta(minutes=10), timedelta(hours=2), timedelta(hours=12))
"""When a source that gave no answer is read again."""
CHECKS = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
"""When a verified source is read again."""
LISTED = 50
"""Webmentions of an article that its moderators see."""
_VERBS = {
    "in-reply-to": MentionKind.REPLY,
    "like-of": MentionKind.LIKE,
    "repost-of": MentionKind.REPOST,
    "bookmark-of": MentionKind.BOOKMARK,
}
_SHOWN = frozenset({MentionKind.REPLY, MentionKind.MENTION})
"""The kinds that become comments; the others are only counted."""
_REFUSALS = {
    "no_link": "Its source does not link to the article.",
    "forbidden": "Its source has an address that this service does not request.",
}


@dataclass(frozen=True)
class _Due:
    id: int
    source: str
    target: str


def receive(session: Session, source: str, target: str, *, at: datetime) -> None:
    """Note a webmention, to be verified soon. Needs `begin_write`; the caller commits.

    The same again is an update. Raises InvalidFieldsError if it can never be valid, TooManyError for a flood.
    """
    source, target = source.strip(), target.strip()
    site = site_of(session, source, target)
    host = next(iter(bans.hosts_of([source])), "")
    digest = hashlib.sha256(f"{source} {urldefrag(target).url}".encode()).hexdigest()
    mention = session.scalar(select(Webmention).where(Webmention.pair_hash == digest).with_for_update())
    if mention is None:
        _require_room(session, site.id, host, at)
        mention = Webmention(
            site_id=site.id,
            pair_hash=digest,
            source=source,
            target=urldefrag(target).url,
            source_host=host,
            received_at=at,
        )
        session.add(mention)
    elif mention.due_at is not None and mention.due_at <= at:
        return  # it waits already
    else:
        _require_room(session, site.id, host, at)
    mention.received_at, mention.due_at, mention.tries, mention.checks = at, at, 0, 0
    session.flush()


def of_thread(session: Session, thread_id: int) -> Sequence[Webmention]:
    """Return the latest webmentions of an article that were verified once, newest first."""
    query = select(Webmention).where(Webmention.thread_id == thread_id)
    return session.scalars(query.order_by(Webmention.received_at.desc()).limit(LISTED)).all()


def run_due(
    session: Session,
    read: ReadSource,
    *,
    at: datetime,
    own_hosts: Collection[str] = (),
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Verify the webmentions that are due, at most `BATCH`; return how many. Commits.

    No transaction is open during a request, and no other process reads the same source.
    """
    verified = 0
    while verified < BATCH and not stopped():
        due = _take(session, at)
        if due is None:
            break
        verified += 1
        answer = read(due.source, due.target)
        _store(session, due, answer, own_hosts, at)
    return verified


def site_of(session: Session, source: str, target: str) -> Site:
    """Return the site of the target; raises InvalidFieldsError if a webmention can never be valid."""
    for name, url in (("source", source), ("target", target)):
        if len(url) > URL_LONGEST or not social_post.is_web_address(url) or not url.isprintable():
            raise InvalidFieldsError({name: f"The {name} must be an http or https URL."})
    if urldefrag(source).url == urldefrag(target).url:
        raise InvalidFieldsError({"source": "The source and the target are the same page."})
    try:
        site = known_sites.with_origin(session, article_urls.page_origin(target))
    except BadAddressError:
        site = None
    if site is None or not site.webmention:
        raise InvalidFieldsError({"target": "This service takes no webmentions for the target."})
    return site


def _require_room(session: Session, site_id: int, host: str, at: datetime) -> None:
    hour = select(func.count()).where(
        Webmention.site_id == site_id,
        Webmention.source_host == host,
        Webmention.received_at > at - timedelta(hours=1),
    )
    if (session.scalar(hour) or 0) >= PER_HOST:
        raise TooManyError(3600)
    waiting = select(func.count()).where(
        Webmention.due_at <= at, Webmention.due_at.is_not(None), Webmention.site_id == site_id
    )
    if (session.scalar(waiting) or 0) >= MOST_WAITING:
        raise TooManyError(600)


def _take(session: Session, at: datetime) -> _Due | None:
    due = select(Webmention).where(text("due_at IS NOT NULL"), Webmention.due_at <= at)
    mention = take_first(session, due.order_by(Webmention.due_at, Webmention.id))
    if mention is None:
        return None
    # If this process ends meanwhile, the source is read again.
    mention.due_at = at + RETRIES[0]
    taken = _Due(mention.id, mention.source, mention.target)
    session.commit()
    return taken


def _store(
    session: Session, due: _Due, answer: MentionSource, own_hosts: Collection[str], at: datetime
) -> None:
    begin_write(session)
    mention = session.get(Webmention, due.id, populate_existing=True)
    site = session.get(Site, mention.site_id) if mention else None
    if mention is None or site is None:
        session.rollback()
        return
    if not site.webmention:
        mention.due_at = None
    elif answer.state == "links":
        _show(session, site, mention, answer, own_hosts, at)
    elif answer.state in {"gone", *_REFUSALS}:
        _drop(session, mention, _REFUSALS.get(answer.state, "Its source does not exist any more."), at)
    else:
        _wait(session, mention, answer, at)
    session.commit()


def _show(
    session: Session,
    site: Site,
    mention: Webmention,
    answer: MentionSource,
    own_hosts: Collection[str],
    at: datetime,
) -> None:
    thread = _thread(session, site, mention, at)
    kind = _VERBS.get(answer.verb, MentionKind.MENTION)
    if mention.key is not None and (kind not in _SHOWN or mention.key != answer.url):
        _withdraw(session, mention, at)
    was = (mention.state, mention.kind)
    mention.thread_id, mention.kind, mention.state, mention.error = (
        thread.id,
        kind,
        MentionState.VERIFIED,
        None,
    )
    mention.key = answer.url[: social_post.KEY_LONGEST] if kind in _SHOWN else None
    mention.tries = 0
    mention.due_at = at + CHECKS[mention.checks] if mention.checks < len(CHECKS) else None
    mention.checks += 1
    session.flush()
    if kind in _SHOWN:
        posts.store(
            session, thread, [mention_posts.post_of(answer, kind, at)], at, own_hosts=own_hosts, holds=True
        )
    elif was != (mention.state, mention.kind):
        threads.lock(session, thread.id)
        threads.mark_changed(session, thread.id)


def _thread(session: Session, site: Site, mention: Webmention, at: datetime) -> Thread:
    """Return the thread of the article, made if there is none."""
    thread = session.get(Thread, mention.thread_id) if mention.thread_id else None
    address = threads.address_on(site, mention.target)
    return thread or threads.find_or_create(session, address, title=None, at=at)


def _drop(session: Session, mention: Webmention, reason: str, at: datetime) -> None:
    """Forget what it showed. Only the source itself can say that it is gone: whoever sends, it is read again."""
    was_verified = mention.state is MentionState.VERIFIED
    _withdraw(session, mention, at)
    mention.state = MentionState.GONE if was_verified else MentionState.REFUSED
    mention.error, mention.due_at = reason, None


def _withdraw(session: Session, mention: Webmention, at: datetime) -> None:
    """Remove its comment, unless another webmention of the article shows the same page."""
    thread = session.get(Thread, mention.thread_id) if mention.thread_id else None
    if thread is None:
        return
    if mention.key is None:
        threads.lock(session, thread.id)
        threads.mark_changed(session, thread.id)
        return
    others = exists().where(
        Webmention.thread_id == thread.id,
        Webmention.key == mention.key,
        Webmention.id != mention.id,
        Webmention.state == MentionState.VERIFIED,
    )
    if not session.scalar(select(others)):
        posts.remove(session, thread, [mention.key], at)


def _wait(session: Session, mention: Webmention, answer: MentionSource, at: datetime) -> None:
    """Read it again later. One that was verified is gone if it is missing each time; without an answer it stays."""
    if mention.tries < len(RETRIES):
        mention.due_at = at + RETRIES[mention.tries]
        mention.tries += 1
    elif answer.state == "missing" or mention.state is not MentionState.VERIFIED:
        _drop(session, mention, "Its source could not be read.", at)
    else:
        mention.tries = 0
        mention.due_at = at + CHECKS[mention.checks] if mention.checks < len(CHECKS) else None
        mention.checks += 1
