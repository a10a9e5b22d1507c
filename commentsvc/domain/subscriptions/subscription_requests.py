"""A reader asks for mail. Nothing but one confirmation mail is sent to an address before its owner confirms it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc import messages
from commentsvc.domain.notifications import suppression
from commentsvc.models import (
    ConfirmationCount,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Subscription,
    SubscriptionKind,
)

WORDING = 1
"""Version of the words beside the box; to be raised when they change, because it is part of the record of consent."""
PAUSE = timedelta(hours=24)
"""Between two confirmation mails to an address that has confirmed nothing on the site."""
MOST_UNANSWERED = 3
"""Confirmation mails to an address that never confirms."""
MOST_A_DAY = 5
"""Confirmation mails in 24 hours to an address that has confirmed something on the site."""
PER_HOUR = 60
"""Confirmation mails of the whole service in an hour; more are sent in the hours after."""


@dataclass(frozen=True, kw_only=True)
class SubscriptionRequest:
    """What somebody asks for."""

    site_id: int
    thread_id: int | None
    kind: SubscriptionKind
    address: str
    """In the form of `fields.email`."""
    commenter_id: int | None = None
    author_key_hash: str | None = None
    language: str = field(default_factory=lambda: messages.language().code)
    """Of the mail: the one that is current when somebody asks for it."""


def proven_address(session: Session, commenter_id: int) -> str | None:
    """Return the address that a member confirmed last; None if there is none."""
    query = select(Subscription.address).where(
        Subscription.commenter_id == commenter_id,
        Subscription.confirmed_at.is_not(None),
        Subscription.address.is_not(None),
    )
    return session.scalars(query.order_by(Subscription.confirmed_at.desc()).limit(1)).first()


def request(session: Session, key: bytes, wanted: SubscriptionRequest, *, at: datetime) -> None:
    """Store what a reader asks for, and a confirmation mail if the address may get one. Needs `begin_write`.

    A member who has confirmed the address is subscribed at once. The caller tells everybody the same, so that nobody
    learns whether an address is known. `key` is the one of hashes that last.
    """
    address_hash = suppression.hash_of_address(key, wanted.address)
    row = _row(session, wanted, address_hash)
    if row.is_active:
        return
    is_proven = _is_proven(session, wanted, address_hash)  # before the row forgets that it was confirmed
    if row.ended_at is not None:
        row.confirm_hash = None  # an earlier mail's link confirms no later request
    if is_proven or not _is_asked_by_another(row, wanted):
        row.commenter_id, row.author_key_hash = wanted.commenter_id, wanted.author_key_hash
    else:
        # One mail asked, and its reader cannot know for whom: confirming it gives the address to no account.
        row.commenter_id, row.author_key_hash = None, row.author_key_hash or wanted.author_key_hash
    row.address = wanted.address
    row.requested_at, row.wording, row.language = at, WORDING, wanted.language
    row.confirmed_at = row.ended_at = row.ended_by = None
    if is_proven:
        row.confirmed_at = at
        end_other_kind(session, row)
    elif _may_be_asked(session, row, at):
        row.asked_at = at
        _count(session, row, at)
        session.flush()
        _enqueue(session, row, at)
    session.flush()


def end_other_kind(session: Session, row: Subscription) -> None:
    """Delete the same person's other subscription to the same article: the later choice replaces it."""
    others = select(Subscription).where(
        Subscription.thread_id == row.thread_id,
        Subscription.address_hash == row.address_hash,
        Subscription.kind != row.kind,
    )
    for other in session.scalars(others) if row.thread_id is not None else ():
        session.delete(other)
    session.flush()


def _row(session: Session, wanted: SubscriptionRequest, address_hash: str) -> Subscription:
    """Return the row of this address for this purpose, or a new one."""
    query = select(Subscription).where(
        Subscription.site_id == wanted.site_id,
        Subscription.thread_id.is_not_distinct_from(wanted.thread_id),
        Subscription.kind == wanted.kind,
        Subscription.address_hash == address_hash,
    )
    row = session.scalars(query).first()
    if row is None:
        row = Subscription(
            site_id=wanted.site_id,
            thread_id=wanted.thread_id,
            kind=wanted.kind,
            address_hash=address_hash,
            token=secrets.token_hex(16),
        )
        session.add(row)
    return row


def _is_asked_by_another(row: Subscription, wanted: SubscriptionRequest) -> bool:
    """Whether an account or a guest waits for the confirmation of this row, and the request is not theirs."""
    is_waiting = row.address is not None and row.confirmed_at is None and row.ended_at is None
    return is_waiting and row.commenter_id != wanted.commenter_id


def _is_proven(session: Session, wanted: SubscriptionRequest, address_hash: str) -> bool:
    """Whether this member has confirmed this address, and has not ended everything since."""
    if wanted.commenter_id is None or suppression.effective(session, address_hash, wanted.site_id):
        return False
    query = select(Subscription.id).where(
        Subscription.commenter_id == wanted.commenter_id,
        Subscription.address_hash == address_hash,
        Subscription.confirmed_at.is_not(None),
    )
    return session.scalars(query.limit(1)).first() is not None


def _may_be_asked(session: Session, row: Subscription, at: datetime) -> bool:
    """Whether the address may get a confirmation mail now."""
    if suppression.effective(session, row.address_hash, row.site_id, suppression.FINAL):
        return False
    if _has_confirmed(session, row):
        since = at - PAUSE
        mailed = select(func.count()).where(
            Delivery.recipient_hash == row.address_hash,
            Delivery.kind == DeliveryKind.CONFIRMATION,
            Delivery.created_at > since,
        )
        is_new = row.asked_at is None or row.asked_at <= since
        return is_new and (session.scalar(mailed) or 0) < MOST_A_DAY
    count = session.get(ConfirmationCount, (row.address_hash, row.site_id))
    return count is None or (count.times < MOST_UNANSWERED and count.last_at <= at - PAUSE)


def _has_confirmed(session: Session, row: Subscription) -> bool:
    query = select(Subscription.id).where(
        Subscription.address_hash == row.address_hash,
        Subscription.site_id == row.site_id,
        Subscription.confirmed_at.is_not(None),
        Subscription.ended_at.is_(None),
    )
    return session.scalars(query.limit(1)).first() is not None


def _count(session: Session, row: Subscription, at: datetime) -> None:
    count = session.get(ConfirmationCount, (row.address_hash, row.site_id))
    if count is None:
        count = ConfirmationCount(address_hash=row.address_hash, site_id=row.site_id, times=0, last_at=at)
        session.add(count)
    count.times, count.last_at = count.times + 1, at


def _enqueue(session: Session, row: Subscription, at: datetime) -> None:
    """Store the confirmation mail; its words are written when it is sent."""
    recent = select(func.count()).where(
        Delivery.kind == DeliveryKind.CONFIRMATION,
        (Delivery.state == DeliveryState.WAITING) | (Delivery.closed_at > at - timedelta(hours=1)),
    )
    session.add(
        Delivery(
            site_id=row.site_id,
            kind=DeliveryKind.CONFIRMATION,
            subscription_id=row.id,
            recipient_hash=row.address_hash,
            next_attempt_at=at + timedelta(hours=(session.scalar(recent) or 0) // PER_HOUR),
            created_at=at,
        )
    )
