"""The link of a confirmation mail: what it would confirm, and confirming it once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain.notifications import suppression
from commentsvc.domain.subscriptions import endings, subscription_requests
from commentsvc.integrations import signing
from commentsvc.models import ConfirmationCount, EndReason, Subscription, SuppressionReason

LIFE = timedelta(days=7)
"""How long a confirmation mail's link works, and how long what nobody confirms is kept."""
_TOKEN_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the link of a confirmation mail is about."""

    subscription: Subscription
    pending: Sequence[Subscription]
    """Everything that its button confirms; empty if it has been confirmed already."""


def token_of(secret: str, subscription_id: int, delivery_id: int) -> str:
    """Return the token of one confirmation mail, in hexadecimal digits; a mail that is sent again has the same one."""
    text = f"{subscription_id} {delivery_id}"
    return signing.keyed_hash(secret, "confirm subscription", text)[:_TOKEN_LENGTH]


def hash_of(token: str) -> str:
    """Return the stored hash of a confirmation mail's token."""
    return signing.challenge_of(token)


def find(session: Session, token: str, *, at: datetime) -> Confirmation | None:
    """Return what a link is about; None if it is unknown or too old."""
    query = select(Subscription).where(Subscription.confirm_hash == hash_of(token))
    row = session.scalars(query).first()
    if row is None or row.ended_at is not None:
        return None
    if row.confirmed_at is not None:
        return Confirmation(row, ())
    if row.requested_at <= at - LIFE:
        return None
    return Confirmation(row, _pending(session, row, at))


def confirm(session: Session, token: str, *, shown_up_to: int, at: datetime) -> Subscription | None:
    """Confirm a link's subscription, and those of the same address and site that its page showed. Needs `begin_write`.

    Those have ids up to `shown_up_to`. Returns the subscription, also if it was confirmed before; None if the link does
    not work.
    """
    confirmation = find(session, token, at=at)
    if confirmation is None or not confirmation.pending:
        return confirmation.subscription if confirmation else None
    row = confirmation.subscription
    ids = [each.id for each in confirmation.pending if each.id == row.id or each.id <= shown_up_to]
    now_confirmed = (
        update(Subscription)
        .where(Subscription.id.in_(ids), Subscription.confirmed_at.is_(None))
        .values(confirmed_at=at)
    )
    if change_rows(session, now_confirmed):
        session.expire_all()
        for each in session.scalars(
            select(Subscription).where(Subscription.id.in_(ids)).order_by(Subscription.id)
        ):
            subscription_requests.end_other_kind(session, each)
        suppression.lift(session, row.address_hash, row.site_id)
        _forget_count(session, row)
    return session.get(Subscription, row.id)


def refuse(session: Session, token: str, *, at: datetime) -> bool:
    """Never write to an address again whose owner did not ask for it; return whether the link still worked.

    Needs `begin_write`.
    """
    confirmation = find(session, token, at=at)
    if confirmation is None or not confirmation.pending:
        return False
    row = confirmation.subscription
    for each in confirmation.pending:
        endings.end(session, each, EndReason.REFUSED, at=at)
    suppression.suppress(session, row.address_hash, SuppressionReason.UNWANTED, at=at)
    return True


def _pending(session: Session, row: Subscription, at: datetime) -> Sequence[Subscription]:
    """Return what a link confirms: nothing of another account, which would get hold of all mail to the address."""
    query = select(Subscription).where(
        Subscription.address_hash == row.address_hash,
        Subscription.site_id == row.site_id,
        Subscription.confirmed_at.is_(None),
        Subscription.ended_at.is_(None),
        Subscription.requested_at > at - LIFE,
        or_(Subscription.commenter_id.is_(None), Subscription.commenter_id == row.commenter_id),
    )
    return session.scalars(query.order_by(Subscription.id)).all()


def _forget_count(session: Session, row: Subscription) -> None:
    change_rows(
        session,
        delete(ConfirmationCount).where(
            ConfirmationCount.address_hash == row.address_hash, ConfirmationCount.site_id == row.site_id
        ),
    )
