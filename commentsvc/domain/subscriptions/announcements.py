"""Announces new articles to those who asked for it, in batches that the database makes by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, exists, func, literal, select
from sqlalchemy.orm import Session

from commentsvc.db.rows import insert_rows, take_first
from commentsvc.db.session import UTCDateTime
from commentsvc.domain.notifications import suppression
from commentsvc.domain.subscriptions import fan_out
from commentsvc.models import (
    Announcement,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Frequency,
    Site,
    Subscription,
    SubscriptionKind,
    Suppression,
)

MOST_ARTICLES = 50
"""Articles in one announcement."""


@dataclass(frozen=True, slots=True)
class Article:
    """An article to be announced."""

    title: str
    url: str


def announce(session: Session, site_id: int, articles: Sequence[Article], *, at: datetime) -> None:
    """Store new articles, which subscribers get in one mail. Needs `begin_write`."""
    facts = [{"title": article.title, "url": article.url} for article in articles[-MOST_ARTICLES:]]
    session.add(Announcement(site_id=site_id, articles=facts, created_at=at))
    session.flush()


def subscribers(session: Session, site_id: int) -> int:
    """Return how many addresses hear of a site's new articles."""
    query = select(func.count()).where(*_active(site_id))
    return session.scalar(query) or 0


def spread(
    session: Session, *, digest_hour: int, at: datetime, stopped: Callable[[], bool] = lambda: False
) -> int:
    """Write the deliveries of all waiting announcements; return how many batches it took. Commits after each.

    A process that stops in between repeats nothing: each batch notes how far it came.
    """
    batches = 0
    while not stopped() and _batch(session, digest_hour, at):
        batches += 1
    return batches


def _batch(session: Session, digest_hour: int, at: datetime) -> bool:
    waiting = select(Announcement).where(Announcement.done_at.is_(None)).order_by(Announcement.id)
    row = take_first(session, waiting)
    if row is None:
        return False
    last = _last_of_batch(session, row) if session.get_one(Site, row.site_id).post_mail else None
    if last is None:
        row.done_at = at
    else:
        _insert(session, row, last, digest_hour, at)
        row.done_up_to = last
    session.commit()
    return True


def _last_of_batch(session: Session, row: Announcement) -> str | None:
    above = (*_active(row.site_id), Subscription.address_hash > row.done_up_to)
    some = select(Subscription.address_hash).where(*above).order_by(Subscription.address_hash)
    last = select(func.max(some.limit(fan_out.BATCH).subquery().c.address_hash))
    hash_of_last: str | None = session.scalar(last)
    return hash_of_last


def _active(site_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Subscription.site_id == site_id,
        Subscription.kind == SubscriptionKind.POSTS,
        Subscription.thread_id.is_(None),  # as in the partial index
        Subscription.confirmed_at.is_not(None),
        Subscription.ended_at.is_(None),
    )


def _insert(session: Session, row: Announcement, last: str, digest_hour: int, at: datetime) -> None:
    gets_none = exists().where(
        Suppression.address_hash == Subscription.address_hash, suppression.is_effective(row.site_id)
    )
    digest = literal(fan_out.next_digest(row.created_at, digest_hour), UTCDateTime())
    when = case((Subscription.frequency == Frequency.DAILY, digest), else_=literal(at, UTCDateTime()))
    rows = select(
        literal(row.site_id).label("site_id"),
        literal(DeliveryKind.POST.value).label("kind"),
        Subscription.id.label("subscription_id"),
        literal(row.id).label("announcement_id"),
        Subscription.address_hash.label("recipient_hash"),
        literal(DeliveryState.WAITING.value).label("state"),
        literal(0).label("attempts"),
        when.label("next_attempt_at"),
        literal(row.created_at, UTCDateTime()).label("created_at"),
    ).where(
        *_active(row.site_id),
        Subscription.requested_at <= row.created_at,
        Subscription.address_hash > row.done_up_to,
        Subscription.address_hash <= last,
        ~gets_none,
    )
    insert_rows(session, Delivery, rows)
