"""Reads the feeds of sites for new articles, at most every quarter of an hour each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows, take_first
from commentsvc.db.session import begin_write
from commentsvc.domain import article_urls, fields
from commentsvc.domain.subscriptions import announcements
from commentsvc.domain.subscriptions.announcements import Article
from commentsvc.errors import BadAddressError, OutboundError
from commentsvc.models import FeedItem, FeedState, Site, Subscription, SubscriptionKind
from commentsvc.text import markup

if TYPE_CHECKING:
    from commentsvc.integrations.site_feed import ReadFeed, ReadItem

EVERY = timedelta(minutes=15)
BATCH = 5
"""Feeds per round, so that mail does not wait long for slow servers."""
OLDEST = timedelta(days=7)
"""An article with an earlier date is not announced."""
FORGOTTEN = timedelta(days=30)
"""How long an item that has left the feed is remembered."""


ReadFeedAt = Callable[[str, str | None, str | None], "ReadFeed"]
"""Requests a feed, with the ETag and the date of the last answer; raises OutboundError."""


@dataclass(frozen=True, slots=True)
class _DueFeed:
    site_id: int
    url: str
    etag: str | None
    last_modified: str | None


def poll(
    session: Session, read: ReadFeedAt, *, at: datetime, stopped: Callable[[], bool] = lambda: False
) -> int:
    """Read the feeds that are due, at most `BATCH`, and announce what is new; return how many were asked. Commits.

    No other process asks the same feeds, and no transaction is open during a request.
    """
    asked = 0
    while asked < BATCH and not stopped() and (due := _next_due(session, at)) is not None:
        asked += 1
        feed: ReadFeed | None = None
        error = None
        try:
            feed = read(due.url, due.etag, due.last_modified)
        except OutboundError as reason:
            error = str(reason)[:300]
        _store(session, due, feed, error, at)
    return asked


def error_of(session: Session, site: Site) -> str | None:
    """Return why a site's feed could not be read the last time; None if it could, or was not asked."""
    state = session.get(FeedState, site.id)
    return state.error if state is not None and state.url == site.feed_url else None


def _next_due(session: Session, at: datetime) -> _DueFeed | None:
    """Take a site whose feed is due, so that no other process does."""
    wanted = exists().where(
        Subscription.site_id == Site.id,
        Subscription.kind == SubscriptionKind.POSTS,
        Subscription.thread_id.is_(None),  # as in the partial index
        Subscription.ended_at.is_(None),
    )
    is_fresh = exists().where(
        FeedState.site_id == Site.id, FeedState.url == Site.feed_url, FeedState.checked_at > at - EVERY
    )
    due = select(Site).where(Site.post_mail, Site.feed_url.is_not(None), wanted, ~is_fresh)
    site = take_first(session, due.order_by(Site.id))
    if site is None or site.feed_url is None:
        return None
    state = session.get(FeedState, site.id)
    if state is not None and state.url != site.feed_url:
        session.delete(state)
        session.flush()
        state = None
    if state is None:
        state = FeedState(site_id=site.id, url=site.feed_url, checked_at=at)
        session.add(state)
    state.checked_at = at
    taken = _DueFeed(site.id, site.feed_url, state.etag, state.last_modified)
    session.commit()
    return taken


def _store(session: Session, due: _DueFeed, feed: ReadFeed | None, error: str | None, at: datetime) -> None:
    begin_write(session)
    state = session.get(FeedState, due.site_id)
    site = session.get(Site, due.site_id)
    if state is None or site is None or state.url != due.url:  # changed meanwhile
        session.rollback()
        return
    state.error = error
    if feed is not None:
        state.etag, state.last_modified = feed.etag, feed.last_modified
    if feed is not None and feed.items is not None:
        is_first = state.began_at is None
        fresh = _unseen(session, site.id, feed.items, at)
        articles = [article for item in fresh if (article := _article(site, item, at)) is not None]
        if articles and not is_first:
            announcements.announce(session, site.id, articles, at=at)
        state.began_at = state.began_at or at
    session.commit()


def _unseen(session: Session, site_id: int, items: Sequence[ReadItem], at: datetime) -> list[ReadItem]:
    """Return the items that the feed did not have before, the earliest first, and remember all of them."""
    by_hash = {hashlib.sha256(item.key.encode()).hexdigest(): item for item in items}
    query = select(FeedItem).where(FeedItem.site_id == site_id, FeedItem.item_hash.in_(by_hash))
    known = {row.item_hash: row for row in session.scalars(query)}
    for row in known.values():
        row.seen_at = at
    fresh = {item_hash: item for item_hash, item in by_hash.items() if item_hash not in known}
    session.add_all(FeedItem(site_id=site_id, item_hash=item_hash, seen_at=at) for item_hash in fresh)
    old = delete(FeedItem).where(FeedItem.site_id == site_id, FeedItem.seen_at <= at - FORGOTTEN)
    session.flush()
    change_rows(session, old)
    return list(fresh.values())[::-1]


def _article(site: Site, item: ReadItem, at: datetime) -> Article | None:
    """Return an item as it is announced; None if it is old, or is no page of the site."""
    if item.published is not None and item.published <= at - OLDEST:
        return None
    try:
        is_own = article_urls.origin_of(item.url) in {origin.origin for origin in site.origins}
        url = article_urls.canonical(item.url, site.ignored_parameters)
    except BadAddressError:
        return None
    return Article(fields.title(markup.plain(item.title)) or url, url) if is_own else None
