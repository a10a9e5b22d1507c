"""The outbox: mails are stored in the commit of the change they report, and sent afterwards by any worker.

`domain/endpoints/sending.py` sends what is for endpoints, from the same rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from commentsvc.db.rows import take_first
from commentsvc.db.session import begin_write
from commentsvc.domain.notifications import suppression
from commentsvc.errors import MailError
from commentsvc.models import Delivery, DeliveryKind, DeliveryState, SuppressionReason

log = logging.getLogger(__name__)

AGAIN_AFTER = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=12),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The delay after each failed attempt, three days in all; after the last one the mail is given up."""
TAKEN_FOR = timedelta(minutes=5)
"""Lease for sending one mail; much longer than the SMTP timeout."""
NOT_LIMITED = (DeliveryKind.HELD, DeliveryKind.SAMPLE)
"""What moderators get, which does not wait for the mails to subscribers."""
KEPT = timedelta(days=30)
"""How long a delivery is remembered, without its recipient and text."""


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail to be sent now."""

    number: int
    attempt: int
    recipient: str
    subject: str
    text: str
    html: str = ""
    sender_name: str = ""
    message_id: str = ""
    """Without angle brackets; empty: made from the number."""
    headers: tuple[tuple[str, str], ...] = ()
    """More headers, whose values are in ASCII and contain nothing that a stranger wrote."""
    others: tuple[tuple[int, int], ...] = ()
    """Number and attempt of further deliveries that this mail contains."""
    recipient_hash: str | None = None


Send = Callable[[OutgoingMail], None]
"""Sends a mail; raises MailError."""
Compose = Callable[[Session, Delivery, datetime], OutgoingMail | None]
"""Writes the mail of a delivery that has a kind, inside the transaction that takes it.

Returns None if it is not to be sent now: then `skip` or `postpone` was called.
"""


def enqueue(
    session: Session, *, site_id: int | None, recipient: str, subject: str, text: str, at: datetime
) -> None:
    """Store a mail to be sent after the current transaction is committed. Needs `begin_write`."""
    session.add(
        Delivery(
            site_id=site_id,
            recipient=recipient,
            subject=subject[:200],
            text=text,
            next_attempt_at=at,
            created_at=at,
        )
    )


def deliver(
    session: Session,
    send: Send,
    *,
    at: datetime,
    compose: Compose | None = None,
    per_hour: int | None = None,
) -> bool:
    """Take the mail that is due longest and send it; return whether there may be more to do. Commits.

    No other process sends it meanwhile. If this process stops in between, the mail is sent again later: a duplicate is
    better than a lost mail. Mail to subscribers needs `compose`, and waits after `per_hour` of them in an hour. Returns
    False also if the server that sends our mail cannot be used.
    """
    kinds: tuple[DeliveryKind, ...] | None = () if compose is None else NOT_LIMITED
    if compose is not None and _has_room(session, at, per_hour):
        kinds = None
    due = take_due(session, at, *_mails(kinds))
    if due is None:
        return False
    letter = _write(session, due, at, compose)
    if letter is None:
        return True
    try:
        send(letter)
    except MailError as error:
        _note_failure(session, letter, error, at)
        return not error.ours
    except (
        Exception
    ) as error:  # a mail that cannot even be written must be given up in the end, and stop no other
        log.exception("mail %s cannot be sent", letter.number)
        _note_failure(session, letter, MailError(type(error).__name__), at)
    else:
        _close(session, letter, DeliveryState.SENT, at)
    return True


def skip(delivery: Delivery, at: datetime) -> None:
    """Do not send a delivery at all; for `Compose`."""
    delivery.state, delivery.next_attempt_at, delivery.closed_at = DeliveryState.SKIPPED, None, at


def postpone(delivery: Delivery, until: datetime) -> None:
    """Send a delivery later, which is no failed attempt; for `Compose`."""
    delivery.attempts -= 1
    delivery.next_attempt_at = until


def take(delivery: Delivery, at: datetime) -> None:
    """Keep other workers from a delivery while this one sends it."""
    delivery.attempts += 1
    delivery.next_attempt_at = at + TAKEN_FOR


def waiting(session: Session) -> int:
    """Return the number of mails still to be sent."""
    query = select(func.count()).where(
        Delivery.state == DeliveryState.WAITING, Delivery.endpoint_id.is_(None)
    )
    return session.scalar(query) or 0


def _has_room(session: Session, at: datetime, per_hour: int | None) -> bool:
    """Whether subscribers may get one more mail in this hour."""
    if per_hour is None:
        return True
    sent = select(Delivery.id).where(
        Delivery.closed_at > at - timedelta(hours=1),
        Delivery.state == DeliveryState.SENT,
        Delivery.endpoint_id.is_(None),
        Delivery.kind.is_not(None),
        Delivery.kind.not_in(NOT_LIMITED),
    )
    number = session.scalar(select(func.count()).select_from(sent.limit(per_hour).subquery())) or 0
    session.rollback()
    return number < per_hour


def take_due(session: Session, at: datetime, *which: ColumnElement[bool]) -> Delivery | None:
    """Take the row that is due longest among these, and return it under its lock; None if there is none."""
    due = select(Delivery).where(Delivery.next_attempt_at <= at, *which)
    row = take_first(session, due.order_by(Delivery.next_attempt_at, Delivery.id))
    if row is not None:
        take(row, at)
    return row


def _mails(kinds: tuple[DeliveryKind, ...] | None) -> Iterator[ColumnElement[bool]]:
    """Yield what selects mails of these kinds or without a kind; None: all kinds."""
    yield Delivery.endpoint_id.is_(None)
    if kinds is not None:
        yield or_(Delivery.kind.is_(None), Delivery.kind.in_(kinds))


def _write(session: Session, row: Delivery, at: datetime, compose: Compose | None) -> OutgoingMail | None:
    """Return the mail of a row that was taken; commits."""
    if row.kind is None:
        letter: OutgoingMail | None = OutgoingMail(
            row.id, row.attempts, row.recipient or "", row.subject or "", row.text or ""
        )
    else:
        letter = compose(session, row, at) if compose else None
    session.commit()
    return letter


def _note_failure(session: Session, letter: OutgoingMail, error: MailError, at: datetime) -> None:
    text = str(error).replace(letter.recipient, "…")[:300]
    if error.lasting or letter.attempt > len(AGAIN_AFTER):
        _close(session, letter, DeliveryState.FAILED, at, text)
        _note_bounce(session, letter, error, at)
        return
    begin_write(session)
    for row in _mine(session, letter):
        row.last_error, row.next_attempt_at = text, at + AGAIN_AFTER[letter.attempt - 1]
    session.commit()


def _note_bounce(session: Session, letter: OutgoingMail, error: MailError, at: datetime) -> None:
    if letter.recipient_hash is None or not (error.no_such_address or error.refused):
        return
    reason = SuppressionReason.BOUNCED if error.no_such_address else SuppressionReason.REFUSED
    begin_write(session)
    suppression.suppress(session, letter.recipient_hash, reason, at=at)
    session.commit()


def _close(
    session: Session, letter: OutgoingMail, state: DeliveryState, at: datetime, error: str | None = None
) -> None:
    begin_write(session)
    for row in _mine(session, letter):
        row.state, row.next_attempt_at, row.last_error, row.closed_at = state, None, error, at
        row.recipient = row.subject = row.text = None
    if state is DeliveryState.SENT and letter.recipient_hash:
        suppression.forget_refusals(session, letter.recipient_hash)
    session.commit()


def _mine(session: Session, letter: OutgoingMail) -> Sequence[Delivery]:
    """Return the mail's rows, without those that another process has taken since because ours was too slow."""
    attempts = {letter.number: letter.attempt, **dict(letter.others)}
    query = select(Delivery).where(Delivery.id.in_(attempts)).order_by(Delivery.id)
    rows = session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()
    return [row for row in rows if row.attempts == attempts[row.id]]
