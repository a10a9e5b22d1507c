"""Writes the mail of a delivery when it is due: rechecks it, bundles what belongs together, and keeps the caps.

A mail is in the language of its recipient, whoever wrote the comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc import messages
from commentsvc.domain.authors import Author
from commentsvc.domain.bans import bans
from commentsvc.domain.fields import Guest
from commentsvc.domain.notifications import outbox, suppression
from commentsvc.domain.notifications.outbox import OutgoingMail
from commentsvc.domain.subscriptions import (
    confirming,
    fan_out,
    mail_words,
    moderator_letters,
    moderator_mail,
    post_letters,
)
from commentsvc.domain.subscriptions.mail_words import MailedComment, MailWriter
from commentsvc.models import (
    Comment,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Frequency,
    Status,
    Subscription,
)

THREAD_PAUSE = timedelta(minutes=10)
"""Between two mails about one article to one address; what comes meanwhile is in the second one."""
MOST_TAKEN = 500
"""Comments that one mail takes together, of which it shows some; what is more comes in the next one."""
PER_DAY = 20
"""Mails to one address in 24 hours; what is more comes in the daily mail."""
_ABOUT_OTHERS = (DeliveryKind.COMMENT, DeliveryKind.REPLY)


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes mails; `compose` is what the outbox calls."""

    writer: MailWriter
    secret: str
    """Signs the links of confirmation mails."""
    digest_hour: int
    """Hour, in UTC, at which daily mails are sent."""

    def compose(self, session: Session, row: Delivery, at: datetime) -> OutgoingMail | None:
        """Return the mail, or None if it was skipped or postponed. Needs the row's lock; the caller commits."""
        subscription = session.get(Subscription, row.subscription_id) if row.subscription_id else None
        if subscription is None or subscription.address_hash != row.recipient_hash:
            outbox.skip(row, at)
            return None
        with messages.using(_language(row, subscription)):
            return self._compose(session, row, subscription, at)

    def _compose(
        self, session: Session, row: Delivery, subscription: Subscription, at: datetime
    ) -> OutgoingMail | None:
        if row.kind is DeliveryKind.CONFIRMATION:
            return self._confirmation(session, row, subscription, at)
        if row.kind in outbox.NOT_LIMITED:
            return moderator_letters.compose(session, self.writer, self.secret, row, subscription, at)
        if row.kind is DeliveryKind.POST:
            return self._posts(session, row, subscription, at)
        comment = _sendable(session, row, subscription, at)
        if comment is None:
            outbox.skip(row, at)
            return None
        if row.kind is DeliveryKind.PUBLISHED:
            return self._published(row, subscription, comment)
        is_over_cap = _mails_today(session, row, at) >= PER_DAY
        digest_at = fan_out.next_digest(row.created_at, self.digest_hour)
        if is_over_cap and digest_at > at:
            outbox.postpone(row, digest_at)
            return None
        if is_over_cap or subscription.frequency is Frequency.DAILY:
            return self._digest(session, row, subscription, comment, at)
        last = _last_about(session, row, comment.thread_id)
        if last is not None and last > at - THREAD_PAUSE:
            outbox.postpone(row, last + THREAD_PAUSE)
            return None
        return self._comments(session, row, subscription, comment, at)

    def _confirmation(
        self, session: Session, row: Delivery, subscription: Subscription, at: datetime
    ) -> OutgoingMail | None:
        is_pending = subscription.confirmed_at is None and subscription.ended_at is None
        is_suppressed = suppression.effective(
            session, subscription.address_hash, subscription.site_id, suppression.FINAL
        )
        if not is_pending or is_suppressed or subscription.requested_at <= at - confirming.LIFE:
            outbox.skip(row, at)
            return None
        token = confirming.token_of(self.secret, subscription.id, row.id)
        subscription.confirm_hash = confirming.hash_of(token)
        session.flush()
        confirmation = confirming.find(session, token, at=at)
        wishes = confirmation.pending if confirmation else [subscription]
        return self.writer.confirmation(row, subscription, wishes, token)

    def _posts(
        self, session: Session, row: Delivery, subscription: Subscription, at: datetime
    ) -> OutgoingMail | None:
        digest_at = fan_out.next_digest(row.created_at, self.digest_hour)
        if digest_at > at and _mails_today(session, row, at) >= PER_DAY:
            outbox.postpone(row, digest_at)
            return None
        return post_letters.compose(session, self.writer, row, subscription, at)

    def _published(self, row: Delivery, subscription: Subscription, comment: Comment) -> OutgoingMail:
        return self.writer.published(row, subscription, _mailed(row, comment))

    def _comments(
        self, session: Session, row: Delivery, subscription: Subscription, comment: Comment, at: datetime
    ) -> OutgoingMail:
        """Return a mail with this comment and whatever else is due about its article."""
        others = _others(session, row, at, thread_id=comment.thread_id)
        parts, rows = _parts([(row, comment), *others])
        parent = comment.parent_id
        answered = _message_about(session, row, parent) if parent is not None else None
        if subscription.title is None:
            subscription.title = mail_words.title_of(comment.thread)[:200]
        letter = self.writer.comments(row, subscription, parts, answered=answered, others=_taken(rows, row))
        _note_message(rows, letter)
        return letter

    def _digest(
        self, session: Session, row: Delivery, subscription: Subscription, comment: Comment, at: datetime
    ) -> OutgoingMail:
        """Return one mail with everything that is due for the address on this site."""
        others = _others(session, row, at, site_id=comment.site_id)
        parts, rows = _parts([(row, comment), *others])
        letter = self.writer.digest(row, subscription, parts, others=_taken(rows, row))
        _note_message(rows, letter)
        return letter


def _language(row: Delivery, subscription: Subscription) -> str:
    if row.kind in outbox.NOT_LIMITED:
        return moderator_mail.language_of(subscription)
    return subscription.language


def _sendable(session: Session, row: Delivery, subscription: Subscription, at: datetime) -> Comment | None:
    """Return the comment if its mail is still wanted and still true; None otherwise."""
    comment = session.get(Comment, row.comment_id) if row.comment_id else None
    if comment is None or comment.status is not Status.APPROVED or not subscription.is_active:
        return None
    if not subscription.site.comment_mail or comment.site_id != subscription.site_id:
        return None
    if suppression.effective(session, subscription.address_hash, subscription.site_id):
        return None
    if row.kind is DeliveryKind.REPLY and (
        comment.parent is None or comment.parent.status is not Status.APPROVED
    ):
        return None
    subscriber = Author(guest=Guest(email=subscription.address), commenter_id=subscription.commenter_id)
    return comment if bans.find_matching(session, subscription.site_id, subscriber, at=at) is None else None


def _others(
    session: Session, row: Delivery, at: datetime, *, thread_id: int | None = None, site_id: int | None = None
) -> list[tuple[Delivery, Comment]]:
    """Take what else is due for the same address; skip what is not to be sent."""
    here = Comment.thread_id == thread_id if thread_id is not None else Comment.site_id == site_id
    query = (
        select(Delivery, Comment)
        .join(Comment, Comment.id == Delivery.comment_id)
        .where(
            Delivery.recipient_hash == row.recipient_hash,
            Delivery.state == DeliveryState.WAITING,
            Delivery.next_attempt_at <= at,
            Delivery.kind.in_(_ABOUT_OTHERS),
            Delivery.id != row.id,
            here,
        )
        .order_by(Comment.id)
        .limit(MOST_TAKEN)
    )
    taken: list[tuple[Delivery, Comment]] = []
    for other, comment in session.execute(query.with_for_update(of=Delivery, skip_locked=True)):
        subscription = session.get(Subscription, other.subscription_id) if other.subscription_id else None
        if subscription is None or _sendable(session, other, subscription, at) is None:
            outbox.skip(other, at)
            continue
        outbox.take(other, at)
        taken.append((other, comment))
    return taken


def _parts(rows: Sequence[tuple[Delivery, Comment]]) -> tuple[list[MailedComment], list[Delivery]]:
    ordered = sorted(rows, key=lambda pair: pair[1].id)
    return [_mailed(row, comment) for row, comment in ordered], [row for row, _ in ordered]


def _mailed(row: Delivery, comment: Comment) -> MailedComment:
    return MailedComment(comment, is_answer=row.kind is DeliveryKind.REPLY)


def _taken(rows: Iterable[Delivery], lead: Delivery) -> tuple[tuple[int, int], ...]:
    return tuple((row.id, row.attempts) for row in rows if row.id != lead.id)


def _note_message(rows: Iterable[Delivery], letter: OutgoingMail) -> None:
    for row in rows:
        row.message_id = letter.message_id


def _message_about(session: Session, row: Delivery, comment_id: int) -> str | None:
    """Return the Message-ID of the mail in which this address got a comment."""
    query = select(Delivery.message_id).where(
        Delivery.comment_id == comment_id,
        Delivery.recipient_hash == row.recipient_hash,
        Delivery.state == DeliveryState.SENT,
    )
    return session.scalar(query)


def _last_about(session: Session, row: Delivery, thread_id: int) -> datetime | None:
    """Return when the last mail about this article was sent to the same address."""
    query = (
        select(func.max(Delivery.closed_at))
        .join(Comment, Comment.id == Delivery.comment_id)
        .where(
            Delivery.recipient_hash == row.recipient_hash,
            Delivery.state == DeliveryState.SENT,
            Delivery.kind.in_(_ABOUT_OTHERS),
            Comment.thread_id == thread_id,
        )
    )
    return session.scalar(query)


def _mails_today(session: Session, row: Delivery, at: datetime) -> int:
    query = select(func.count(Delivery.message_id.distinct())).where(
        Delivery.recipient_hash == row.recipient_hash,
        Delivery.state == DeliveryState.SENT,
        Delivery.kind.not_in(outbox.NOT_LIMITED),
        Delivery.closed_at > at - timedelta(days=1),
    )
    return session.scalar(query) or 0
