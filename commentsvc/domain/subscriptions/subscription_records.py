"""What is stored of subscribers: how long, for their export, and erasing it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.db.session import begin_write
from commentsvc.domain.ledger import entries
from commentsvc.domain.subscriptions import confirming
from commentsvc.domain.subscriptions.subscriptions import UNDO_WITHIN
from commentsvc.models import (
    ConfirmationCount,
    Delivery,
    DeliveryState,
    LedgerKind,
    Site,
    Subscription,
    Suppression,
)

COUNTS_KEPT = timedelta(days=180)
"""How long it is remembered that an address did not answer our confirmation mails."""
BATCH = 200
"""Rows per transaction, during which nobody else can write on SQLite."""


def delete_unconfirmed(session: Session, *, at: datetime) -> int:
    """Delete some of the requests that nobody has confirmed in time; return how many. Commits."""
    is_due = Subscription.confirmed_at.is_(None) & (Subscription.requested_at <= at - confirming.LIFE)
    return _delete_some(session, is_due)


def forget_addresses(session: Session, *, at: datetime) -> int:
    """Delete the addresses of some ended subscriptions; return of how many. Commits."""
    session.rollback()
    is_due = (Subscription.ended_at <= at - UNDO_WITHIN) & Subscription.address.is_not(None)
    ids = session.scalars(select(Subscription.id).where(is_due).limit(BATCH)).all()
    if ids:
        begin_write(session)
        ended = update(Subscription).where(Subscription.id.in_(ids), is_due)
        change_rows(session, ended.values(address=None, author_key_hash=None))
        session.commit()
    return len(ids)


def forget_counts(session: Session, *, at: datetime) -> int:
    """Forget the confirmation mails of long ago; return 0, because it takes one batch. Commits."""
    session.rollback()
    is_due = ConfirmationCount.last_at <= at - COUNTS_KEPT
    if session.scalars(select(ConfirmationCount.site_id).where(is_due).limit(1)).first() is not None:
        begin_write(session)
        change_rows(session, delete(ConfirmationCount).where(is_due))
        session.commit()
    return 0


TASKS = (delete_unconfirmed, forget_addresses, forget_counts)
"""What is done with every deletion of expired data."""


def delete_ended(session: Session, *, at: datetime) -> int:
    """Delete the records of some subscriptions that ended before `at`; return how many. Commits."""
    return _delete_some(session, Subscription.ended_at <= at)


def export(session: Session, commenter_id: int) -> Iterable[dict[str, Any]]:
    """Yield a member's subscriptions, and those of guests with an address that the member confirmed."""
    hashes = hashes_of(session, commenter_id)
    query = select(Subscription, Site.name).join(Site, Site.id == Subscription.site_id)
    theirs = or_(Subscription.commenter_id == commenter_id, Subscription.address_hash.in_(hashes))
    for row, site in session.execute(query.where(theirs).order_by(Subscription.id)):
        yield {
            "site": site,
            "article": row.thread.url if row.thread else None,
            "about": row.kind.value,
            "address": row.address,
            "how_often": row.frequency.value,
            "wording": row.wording,
            "language": row.language,
            "requested_at": _time(row.requested_at),
            "confirmed_at": _time(row.confirmed_at),
            "ended_at": _time(row.ended_at),
            "ended_by": row.ended_by.value if row.ended_by else None,
        }


def export_suppressions(session: Session, commenter_id: int) -> list[dict[str, Any]]:
    """Return why addresses that a member confirmed get no mail."""
    query = select(Suppression).where(Suppression.address_hash.in_(hashes_of(session, commenter_id)))
    return [
        {"reason": row.reason.value, "site": row.site_id, "since": _time(row.created_at)}
        for row in session.scalars(query.order_by(Suppression.id))
    ]


def hashes_of(session: Session, commenter_id: int) -> list[str]:
    """Return the hashes of the addresses that a member has confirmed."""
    query = select(Subscription.address_hash).where(
        Subscription.commenter_id == commenter_id, Subscription.confirmed_at.is_not(None)
    )
    return list(session.scalars(query.distinct()))


def erase_address(session: Session, address_hash: str, *, site_id: int | None = None) -> None:
    """Delete everything about an address, on one site or on all: subscriptions, mail, suppression.

    Needs `begin_write`.
    """
    entries.record(session, LedgerKind.ADDRESS, [address_hash], site_id=site_id)
    theirs = [Delivery.recipient_hash == address_hash]
    if site_id is not None:
        theirs.append(Delivery.site_id == site_id)
    waiting = Delivery.state == DeliveryState.WAITING
    # Deliveries before subscriptions: the lock order of a worker that writes a mail.
    change_rows(session, delete(Delivery).where(*theirs, waiting))
    change_rows(session, update(Delivery).where(*theirs).values(recipient_hash=None))
    for table in (Subscription, ConfirmationCount, Suppression):
        which = [table.address_hash == address_hash]
        if site_id is not None:
            which.append(table.site_id == site_id)
        change_rows(session, delete(table).where(*which))


def _delete_some(session: Session, is_due: ColumnElement[bool]) -> int:
    session.rollback()
    ids = session.scalars(select(Subscription.id).where(is_due).limit(BATCH)).all()
    if ids:
        begin_write(session)
        change_rows(session, delete(Subscription).where(Subscription.id.in_(ids), is_due))
        session.commit()
    return len(ids)


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
