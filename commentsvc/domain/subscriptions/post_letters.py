"""Writes the mails about new articles when they are due, several announcements in one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.notifications import outbox, suppression
from commentsvc.domain.notifications.outbox import OutgoingMail
from commentsvc.domain.subscriptions.mail_words import MailWriter
from commentsvc.models import Announcement, Delivery, DeliveryKind, DeliveryState, Subscription

MOST_TAKEN = 20
"""Announcements in one mail."""


def compose(
    session: Session, writer: MailWriter, row: Delivery, subscription: Subscription, at: datetime
) -> OutgoingMail | None:
    """Return a mail about new articles, or None if it was skipped. Needs the row's lock; the caller commits."""
    if not _is_wanted(session, subscription):
        outbox.skip(row, at)
        return None
    others = _others(session, row, at)
    rows = sorted([row, *others], key=lambda each: each.announcement_id or 0)
    articles: dict[str, dict[str, str]] = {}
    for each in rows:
        announcement = session.get(Announcement, each.announcement_id) if each.announcement_id else None
        articles |= {article["url"]: article for article in (announcement.articles if announcement else ())}
    taken = tuple((each.id, each.attempts) for each in others)
    letter = writer.posts(row, subscription, list(articles.values()), others=taken)
    for each in rows:
        each.message_id = letter.message_id
    return letter


def _is_wanted(session: Session, subscription: Subscription) -> bool:
    if not subscription.is_active or not subscription.site.post_mail:
        return False
    return suppression.effective(session, subscription.address_hash, subscription.site_id) is None


def _others(session: Session, row: Delivery, at: datetime) -> list[Delivery]:
    """Take what else is due about new articles for the same subscription."""
    query = (
        select(Delivery)
        .where(
            Delivery.subscription_id == row.subscription_id,
            Delivery.kind == DeliveryKind.POST,
            Delivery.state == DeliveryState.WAITING,
            Delivery.next_attempt_at <= at,
            Delivery.id != row.id,
        )
        .order_by(Delivery.id)
        .limit(MOST_TAKEN)
    )
    rows = list(session.scalars(query.with_for_update(skip_locked=True)))
    for each in rows:
        outbox.take(each, at)
    session.flush()
    return rows
