"""What an address is subscribed to: list, frequency, end and undo, for whoever has the link of one of its mails."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, select, true, update
from sqlalchemy.orm import Session, aliased

from commentsvc.db.rows import change_rows
from commentsvc.domain.notifications import suppression
from commentsvc.domain.subscriptions import endings
from commentsvc.models import EndReason, Frequency, Subscription, Suppression, SuppressionReason

UNDO_WITHIN = timedelta(minutes=10)


class Scope(StrEnum):
    """How much to end."""

    ONE = "one"
    SITE = "site"
    ALL = "all"


def by_token(session: Session, token: str) -> Subscription | None:
    """Return the subscription with this token."""
    return session.scalars(select(Subscription).where(Subscription.token == token)).first()


def of_same_address(session: Session, row: Subscription) -> Sequence[Subscription]:
    """Return everything that the address of `row` gets mail about."""
    query = select(Subscription).where(Subscription.address_hash == row.address_hash, *_active())
    return session.scalars(query.order_by(Subscription.site_id, Subscription.id)).all()


def of_member(session: Session, commenter_id: int) -> Subscription | None:
    """Return a member's latest subscription, whose token opens the list of all; None if they have none."""
    query = select(Subscription).where(Subscription.commenter_id == commenter_id, *_active())
    return session.scalars(query.order_by(Subscription.id.desc()).limit(1)).first()


def set_frequency(session: Session, row: Subscription, subscription_id: int, frequency: Frequency) -> None:
    """Change how often the address of `row` gets mail about one of its subscriptions. Needs `begin_write`."""
    for each in _of(session, row, Subscription.id == subscription_id):
        each.frequency = frequency
    session.flush()


def end(session: Session, row: Subscription, scope: Scope, how: EndReason, *, at: datetime) -> None:
    """End one subscription, or all of its address for the site or everywhere. Needs `begin_write`."""
    which = {
        Scope.ONE: Subscription.id == row.id,
        Scope.SITE: Subscription.site_id == row.site_id,
        Scope.ALL: true(),
    }
    for each in _of(session, row, which[scope]):
        endings.end(session, each, how, at=at)
    if scope is not Scope.ONE:
        site_id = row.site_id if scope is Scope.SITE else None
        if not suppression.effective(session, row.address_hash, site_id, {SuppressionReason.ASKED}):
            suppression.suppress(session, row.address_hash, SuppressionReason.ASKED, site_id=site_id, at=at)
    session.flush()


def end_one(session: Session, row: Subscription, subscription_id: int, *, at: datetime) -> None:
    """End one of the subscriptions of the address of `row`. Needs `begin_write`."""
    for each in _of(session, row, Subscription.id == subscription_id):
        endings.end(session, each, EndReason.LINK, at=at)
    session.flush()


def can_undo(row: Subscription, *, at: datetime) -> bool:
    """Whether the ending of `row` can still be undone."""
    return row.ended_at is not None and row.ended_at > at - UNDO_WITHIN and row.address is not None


def undo(session: Session, row: Subscription, *, at: datetime) -> bool:
    """Undo the ending of `row`, and of what ended together with it; return whether it was still possible.

    Needs `begin_write`.
    """
    if not can_undo(row, at=at):
        return False
    ended_at = row.ended_at
    same = (Subscription.address_hash == row.address_hash, Subscription.ended_at == ended_at)
    for each in session.scalars(select(Subscription).where(*same)):
        endings.resume(session, each, at=at)
    suppression.remove(
        session,
        Suppression.address_hash == row.address_hash,
        Suppression.reason == SuppressionReason.ASKED,
        Suppression.created_at == ended_at,
    )
    return True


def follow_thread(session: Session, source_id: int, target_id: int) -> list[int]:
    """Let the subscribers of a thread follow it into another one; return the ids of the subscriptions that did.

    What somebody has in both threads stays as it is in the other one. Needs `begin_write`.
    """
    same = aliased(Subscription)
    has_both = exists().where(
        same.thread_id == target_id,
        same.kind == Subscription.kind,
        same.address_hash == Subscription.address_hash,
    )
    movable = select(Subscription.id).where(Subscription.thread_id == source_id, ~has_both)
    ids = list(session.scalars(movable.order_by(Subscription.id)))
    moved = update(Subscription).where(Subscription.thread_id == source_id, ~has_both)
    change_rows(session, moved.values(thread_id=target_id))
    return ids


def mail_again(session: Session, row: Subscription) -> None:
    """Try again to send mail to an address whose mail server refused it. Needs `begin_write`."""
    is_bounce = Suppression.reason.in_(suppression.BOUNCES)
    suppression.remove(session, Suppression.address_hash == row.address_hash, is_bounce)


def _active() -> tuple[ColumnElement[bool], ...]:
    return (Subscription.confirmed_at.is_not(None), Subscription.ended_at.is_(None))


def _of(session: Session, row: Subscription, which: ColumnElement[bool]) -> Sequence[Subscription]:
    query = select(Subscription).where(Subscription.address_hash == row.address_hash, *_active(), which)
    return session.scalars(query.order_by(Subscription.id).with_for_update()).all()
