"""The outbox: mails are stored in the commit of the change they report, and sent afterwards by any worker."""

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
"""The delay after each failed attempt; after the last one the mail is given up."""
TAKEN_FOR = timedelta(minutes=5)
"""Lease for sending one mail; much longer than the SMTP timeout."""
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


Send = Callable[[OutgoingMail], None]
"""Sends a mail; raises MailError."""


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


def deliver(session: Session, send: Send, *, at: datetime) -> bool:
    """Send the mail that is due longest; return whether there was one. Commits.

    No other process sends it meanwhile. If this process stops in between, the mail is sent again later: a duplicate is
    better than a lost mail.
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
    """Delete old deliveries that were sent or given up. Commits."""
    old = (Delivery.next_attempt_at.is_(None), Delivery.created_at < at - KEPT)
    if session.scalar(select(exists().where(*old))):
        begin_write(session)
        session.execute(delete(Delivery).where(*old).execution_options(synchronize_session=False))
        session.commit()
    session.rollback()


def waiting(session: Session) -> int:
    """Return the number of mails still to be sent."""
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


def _close(session: Session, letter: OutgoingMail, state: DeliveryState, error: str | None = None) -> None:
    begin_write(session)
    row = _mine(session, letter)
    if row is not None:
        row.state, row.next_attempt_at, row.last_error = state, None, error
        row.recipient = row.subject = row.text = None
    session.commit()


def _mine(session: Session, letter: OutgoingMail) -> Delivery | None:
    """Return the row, or None if another process has taken it since because ours was too slow."""
    row = session.get(Delivery, letter.number, with_for_update=True, populate_existing=True)
    return row if row is not None and row.attempts == letter.attempt else None
