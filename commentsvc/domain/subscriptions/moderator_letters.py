"""Writes the mails to moderators when they are due: rechecks them, and bundles what came since the last one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain.notifications import outbox, suppression
from commentsvc.domain.notifications.outbox import OutgoingMail
from commentsvc.domain.subscriptions import decision_links, mail_samples, moderator_mail
from commentsvc.domain.subscriptions.mail_words import HeldPart, MailWriter
from commentsvc.messages import gettext
from commentsvc.models import (
    Comment,
    Decision,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Frequency,
    Status,
    Subscription,
)

PAUSE = timedelta(minutes=15)
"""Between two mails about the held comments of one site to one moderator."""
MOST_LISTED = 20
"""Held comments that one mail lists; it says how many wait, and has a link to all."""


def compose(
    session: Session,
    writer: MailWriter,
    secret: str,
    row: Delivery,
    subscription: Subscription,
    at: datetime,
) -> OutgoingMail | None:
    """Return a mail to a moderator, or None if it was skipped or postponed. Needs the row's lock; the caller commits.

    `secret` signs the links of the mail.
    """
    if not _is_wanted(session, subscription):
        outbox.skip(row, at)
        return None
    if row.kind is DeliveryKind.SAMPLE:
        return mail_samples.compose(writer, row, subscription)
    last = _last(session, row)
    is_daily = subscription.frequency is Frequency.DAILY
    if last is not None and last > at - PAUSE and not is_daily:
        outbox.postpone(row, last + PAUSE)
        return None
    rows = _still_held(session, row, at)
    if row not in (delivery for delivery, _ in rows):
        outbox.skip(row, at)
        return None
    parts = [HeldPart(comment, each.id, decision_links.token_of(secret, each)) for each, comment in rows]
    for part in parts:
        part.reasons.extend(_reasons(session, part.comment))
    others = tuple((each.id, each.attempts) for each, _ in rows if each.id != row.id)
    number = moderator_mail.waiting(session, subscription.site_id)
    letter = writer.held(row, subscription, parts, number=number, others=others)
    for each, _ in rows:
        each.message_id = letter.message_id
    return letter


def _is_wanted(session: Session, subscription: Subscription) -> bool:
    if moderator_mail.role_of(session, subscription) is None:
        return False
    return suppression.effective(session, subscription.address_hash, subscription.site_id) is None


def _still_held(session: Session, row: Delivery, at: datetime) -> Sequence[tuple[Delivery, Comment]]:
    """Take what is due for the same moderator and still waits for a decision; what is not listed is skipped."""
    due = (
        Delivery.subscription_id == row.subscription_id,
        Delivery.kind == DeliveryKind.HELD,
        Delivery.state == DeliveryState.WAITING,
        Delivery.next_attempt_at <= at,
        Delivery.id != row.id,
    )
    query = select(Delivery, Comment).join(Comment, Comment.id == Delivery.comment_id)
    same = query.where(Delivery.id == row.id, Comment.status == Status.HELD)
    others = query.where(*due, Comment.status == Status.HELD).order_by(Comment.id).limit(MOST_LISTED - 1)
    listed = [(delivery, comment) for delivery, comment in session.execute(same)]
    for delivery, comment in session.execute(others.with_for_update(of=Delivery, skip_locked=True)):
        if not listed:
            break
        outbox.take(delivery, at)
        listed.append((delivery, comment))
    session.flush()
    if listed:
        _skip_others(session, *due, Delivery.id.not_in([delivery.id for delivery, _ in listed]), at=at)
    return sorted(listed, key=lambda pair: pair[1].id)


def _skip_others(session: Session, *which: object, at: datetime) -> None:
    """Do not mail what the mail counts but does not list; in a flood that may be thousands."""
    skipped = update(Delivery).where(*which)  # type: ignore[arg-type]
    values = {"state": DeliveryState.SKIPPED, "next_attempt_at": None, "closed_at": at}
    change_rows(session, skipped.values(values))


def _last(session: Session, row: Delivery) -> datetime | None:
    """Return when this moderator last got a mail about the site's held comments."""
    query = select(func.max(Delivery.closed_at)).where(
        Delivery.subscription_id == row.subscription_id,
        Delivery.kind == DeliveryKind.HELD,
        Delivery.state == DeliveryState.SENT,
    )
    return session.scalar(query)


def _reasons(session: Session, comment: Comment) -> list[str]:
    """Return why a comment is held, in words."""
    query = select(Decision.reasons).where(Decision.comment_id == comment.id, Decision.status == Status.HELD)
    rows = session.scalar(query.order_by(Decision.id.desc()).limit(1)) or []
    words = [str(row.get("reason") or "") for row in rows if row.get("status") == Status.HELD.value]
    return [gettext(each) for each in words if each]
