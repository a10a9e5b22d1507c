"""Outgoing mail: written in the commit of what it tells of, sent afterwards by whoever takes it first."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.errors import MailError
from commentsvc.models import Delivery, DeliveryState

log = logging.getLogger(__name__)

AGAIN_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=24),
)
"""How long after each attempt the next one follows; after the last, it is given up."""
TAKEN_FOR = timedelta(minutes=5)
"""Whoever takes a mail has so long to send it, far longer than the mail server is waited for."""
KEPT = timedelta(days=30)
"""How long it is remembered that something was sent, without to whom or what."""


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail to be sent now."""

    number: int
    attempt: int
    recipient: str
    subject: str
    text: str


Send = Callable[[OutgoingMail], None]
"""Sends a mail; raises MailError."""


def enqueue(
    session: Session, *, site_id: int | None, recipient: str, subject: str, text: str, at: datetime
) -> None:
    """Have a mail sent once the transaction under way is committed. Needs `begin_write`."""
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


def deliver(session: Session, send: Send, *, at: datetime) -> bool:
    """Send the mail that has waited longest, if one is due; return whether there was one. It commits by itself.

    No other process sends it meanwhile. One that stops in between leaves it to be sent again later, which may be once
    too often rather than never.
    """
    letter = _next_due(session, at)
    if letter is None:
        return False
    try:
        send(letter)
    except MailError as error:
        _note_failure(session, letter, error, at)
    except (
        Exception
    ) as error:  # a mail that cannot even be written must be given up in the end, and stop no other
        log.exception("mail %s cannot be sent", letter.number)
        _note_failure(session, letter, MailError(type(error).__name__), at)
    else:
        _close(session, letter, DeliveryState.SENT)
    return True


def tidy(session: Session, *, at: datetime) -> None:
    """Forget what was sent or given up long ago. It commits by itself."""
    old = (Delivery.next_attempt_at.is_(None), Delivery.created_at < at - KEPT)
    if session.scalar(select(exists().where(*old))):
        begin_write(session)
        session.execute(delete(Delivery).where(*old).execution_options(synchronize_session=False))
        session.commit()
    session.rollback()


def waiting(session: Session) -> int:
    """Return how many are still to be sent."""
    query = select(func.count()).where(Delivery.state == DeliveryState.WAITING)
    return session.scalar(query) or 0


def _next_due(session: Session, at: datetime) -> OutgoingMail | None:
    due = Delivery.next_attempt_at <= at
    is_any = session.scalar(select(exists().where(due)))
    session.rollback()
    if not is_any:
        return None
    begin_write(session)
    first = select(Delivery).where(due).order_by(Delivery.next_attempt_at, Delivery.id).limit(1)
    row = session.scalars(first.with_for_update(skip_locked=True)).first()
    if row is None:
        session.rollback()
        return None
    row.attempts += 1
    row.next_attempt_at = at + TAKEN_FOR
    letter = OutgoingMail(row.id, row.attempts, row.recipient or "", row.subject or "", row.text or "")
    session.commit()
    return letter


def _note_failure(session: Session, letter: OutgoingMail, error: MailError, at: datetime) -> None:
    text = str(error).replace(letter.recipient, "…")[:300]
    if error.lasting or letter.attempt > len(AGAIN_AFTER):
        _close(session, letter, DeliveryState.FAILED, text)
        return
    begin_write(session)
    row = _mine(session, letter)
    if row is not None:
        row.next_attempt_at, row.last_error = at + AGAIN_AFTER[letter.attempt - 1], text
    session.commit()


def _close(session: Session, letter: OutgoingMail, state: DeliveryState, said: str | None = None) -> None:
    begin_write(session)
    row = _mine(session, letter)
    if row is not None:
        row.state, row.next_attempt_at, row.last_error = state, None, said
        row.recipient = row.subject = row.text = None
    session.commit()


def _mine(session: Session, letter: OutgoingMail) -> Delivery | None:
    """Return the row unless somebody else has taken it since, when ours took too long."""
    row = session.get(Delivery, letter.number, with_for_update=True, populate_existing=True)
    return row if row is not None and row.attempts == letter.attempt else None
