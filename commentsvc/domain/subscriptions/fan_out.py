"""Turns notices of new comments into deliveries, in batches that the database makes by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, false, func, literal, or_, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows, insert_rows, take_first
from commentsvc.db.session import UTCDateTime, begin_write
from commentsvc.domain.notifications import events, suppression
from commentsvc.domain.surge import episodes
from commentsvc.models import (
    Comment,
    Decision,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Frequency,
    Notice,
    Site,
    Status,
    Subscription,
    SubscriptionKind,
    Suppression,
)

DELAY = timedelta(minutes=3)
"""Between a comment and the mails about it, so that a corrected or deleted one costs nobody a mail."""
OLDEST = timedelta(days=30)
"""A comment that was written longer ago than this when it became visible is mailed to nobody."""
BATCH = 1000
"""Subscribers in one transaction, during which nobody else can write on SQLite."""


@dataclass(frozen=True, slots=True)
class _Due:
    """When the deliveries of one comment are due."""

    now: datetime
    soon: datetime
    digest: datetime


def next_digest(at: datetime, hour: int) -> datetime:
    """Return the next time, after `at`, at which daily mails are sent; `hour` is in UTC."""
    today = at.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > at else today + timedelta(days=1)


def spread(
    session: Session,
    key: bytes,
    *,
    digest_hour: int,
    at: datetime,
    mails: bool = True,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Write the deliveries of all waiting notices; return how many batches it took. Commits after each.

    Without `mails` only endpoints hear of them.

    A process that stops in between repeats nothing: each batch notes how far it came, and a comment has one delivery
    for each recipient. `key` is the one of hashes that last.
    """
    batches = 0
    while not stopped() and _batch(session, key, digest_hour, at, mails):
        batches += 1
    return batches


def discard(session: Session, *, at: datetime) -> None:
    """Mark all waiting notices as done, because nobody hears of them now; they would all be due later. Commits."""
    waiting = Notice.done_at.is_(None)
    if session.scalar(select(exists().where(waiting))):
        begin_write(session)
        done = update(Notice).where(waiting).values(done_at=at)
        change_rows(session, done)
        session.commit()
    session.rollback()


def _batch(session: Session, key: bytes, digest_hour: int, at: datetime, mails: bool = True) -> bool:
    waiting = select(Notice).where(Notice.done_at.is_(None)).order_by(Notice.comment_id)
    notice = take_first(session, waiting)
    if notice is None:
        return False
    comment = session.get_one(Comment, notice.comment_id)
    if comment.status is not Status.APPROVED:
        session.delete(notice)  # it is noted again if it becomes visible again
    else:
        if not notice.done_up_to:
            was_held = _was_held(session, comment)
            events.record_notice(session, comment, notice, was_held=was_held, at=at)
        if mails and _is_to_be_mailed(session, comment, notice):
            _write(session, key, comment, notice, _due(notice, digest_hour, at))
        else:
            notice.done_at = at
    session.commit()
    return True


def _due(notice: Notice, digest_hour: int, at: datetime) -> _Due:
    return _Due(at, notice.created_at + DELAY, next_digest(notice.created_at, digest_hour))


def _is_to_be_mailed(session: Session, comment: Comment, notice: Notice) -> bool:
    site = session.get_one(Site, comment.site_id)
    return site.comment_mail and comment.created_at > notice.created_at - OLDEST


def _write(session: Session, key: bytes, comment: Comment, notice: Notice, due: _Due) -> None:
    """Write one batch of deliveries, those for the people concerned first: nobody gets two."""
    author, is_self = _is_by(key, comment), _is_self(key, comment)
    if not notice.done_up_to:
        if _was_held(session, comment):
            _insert(session, DeliveryKind.PUBLISHED, comment, notice, literal(due.now, UTCDateTime()), author)
        parent = comment.parent
        if parent is not None and parent.status is Status.APPROVED:
            answered = and_(_is_by(key, parent), ~is_self)
            _insert(session, DeliveryKind.REPLY, comment, notice, _at(due.soon, due), answered)
    above = and_(
        Subscription.thread_id == comment.thread_id,
        Subscription.kind == SubscriptionKind.THREAD,
        Subscription.address_hash > notice.done_up_to,
    )
    some = select(Subscription.address_hash).where(above).order_by(Subscription.address_hash).limit(BATCH)
    last = session.scalar(select(func.max(some.subquery().c.address_hash)))
    if last is None:
        notice.done_at = due.now
        return
    is_surge = any(
        episodes.effective_step(row, due.now) for row in episodes.open_rows(session, comment.site_id)
    )
    when = _at(due.digest if is_surge else due.soon, due)
    batch = and_(above, Subscription.address_hash <= last, ~is_self)
    _insert(session, DeliveryKind.COMMENT, comment, notice, when, batch)
    notice.done_up_to = last


def _at(at_once: datetime, due: _Due) -> ColumnElement[Any]:
    """Select when a subscription's mail is due."""
    return case(
        (Subscription.frequency == Frequency.DAILY, literal(due.digest, UTCDateTime())),
        else_=literal(at_once, UTCDateTime()),
    )


def _insert(
    session: Session,
    kind: DeliveryKind,
    comment: Comment,
    notice: Notice,
    when: ColumnElement[Any],
    which: ColumnElement[bool],
) -> None:
    has_delivery = exists().where(
        Delivery.comment_id == comment.id, Delivery.recipient_hash == Subscription.address_hash
    )
    gets_none = exists().where(
        Suppression.address_hash == Subscription.address_hash, suppression.is_effective(comment.site_id)
    )
    rows = select(
        literal(comment.site_id).label("site_id"),
        literal(kind.value).label("kind"),
        Subscription.id.label("subscription_id"),
        literal(comment.id).label("comment_id"),
        Subscription.address_hash.label("recipient_hash"),
        literal(DeliveryState.WAITING.value).label("state"),
        literal(0).label("attempts"),
        when.label("next_attempt_at"),
        literal(notice.created_at, UTCDateTime()).label("created_at"),
    ).where(
        Subscription.thread_id == comment.thread_id,
        Subscription.confirmed_at.is_not(None),
        Subscription.ended_at.is_(None),
        Subscription.requested_at <= notice.created_at,
        which,
        ~has_delivery,
        ~gets_none,
    )
    insert_rows(session, Delivery, rows)


def _is_by(key: bytes, comment: Comment) -> ColumnElement[bool]:
    """Select the subscriptions of a comment's author, so that they hear of answers.

    A guest who types the address of a member is not taken for the member. Whoever asked as a guest goes on hearing of
    answers to a comment that has moved to an account since: its browser is still known.
    """
    as_guest = and_(Subscription.commenter_id.is_(None), _is_self(key, comment))
    if comment.commenter_id is None:
        return as_guest
    return or_(func.coalesce(Subscription.commenter_id == comment.commenter_id, false()), as_guest)


def _is_self(key: bytes, comment: Comment) -> ColumnElement[bool]:
    """Select the subscriptions that may be those of a comment's author: same person, address or browser."""
    same: list[ColumnElement[bool]] = []
    if comment.commenter_id is not None:
        same.append(func.coalesce(Subscription.commenter_id == comment.commenter_id, false()))
    if comment.guest_email:
        same.append(Subscription.address_hash == suppression.hash_of_address(key, comment.guest_email))
    if comment.author_key_hash:
        same.append(func.coalesce(Subscription.author_key_hash == comment.author_key_hash, false()))
    return or_(false(), *same)


def _was_held(session: Session, comment: Comment) -> bool:
    """Whether the comment was not visible at once when it was posted."""
    first = select(Decision.status).where(Decision.comment_id == comment.id).order_by(Decision.id).limit(1)
    return session.scalar(first) is not Status.APPROVED
