"""One sample of each mail, with invented words, so that an owner sees what readers get."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from commentsvc.domain.notifications.outbox import OutgoingMail
from commentsvc.domain.subscriptions.mail_words import MailWriter
from commentsvc.models import Delivery, DeliveryKind, Subscription

TITLE, TEXT = (
    "An article of yours",
    "This is a sample: nobody wrote this comment, and its links lead to your site.",
)


def enqueue(session: Session, subscription: Subscription, *, at: datetime) -> int:
    """Store one sample of each mail for a moderator's address; return how many. Needs `begin_write`."""
    names = tuple(_facts("", ""))
    for name in names:
        session.add(
            Delivery(
                site_id=subscription.site_id,
                kind=DeliveryKind.SAMPLE,
                subscription_id=subscription.id,
                recipient_hash=subscription.address_hash,
                text=name,
                next_attempt_at=at,
                created_at=at,
            )
        )
    session.flush()
    return len(names)


def compose(writer: MailWriter, row: Delivery, subscription: Subscription) -> OutgoingMail:
    """Return the sample that a delivery names."""
    home = subscription.site.origins[0].origin if subscription.site.origins else writer.links.base_url
    facts = _facts(home, writer.links.queue(subscription.site_id))
    name = row.text if row.text in facts else "confirmation"
    return writer.sample(row, subscription, name, facts[name])


def _facts(home: str, queue_url: str) -> dict[str, dict[str, Any]]:
    """Return what each template says, by the template's name; every link leads to `home`."""
    comment = {
        "author": "Ada",
        "text": TEXT,
        "is_cut": False,
        "is_answer": False,
        "url": home,
        "title": TITLE,
        "reasons": ["The first comment of this person."],
        "approve_url": home,
        "spam_url": home,
        "trash_url": home,
        "reply_url": home,
    }
    stop = {"stop_url": home, "list_url": home}
    one_article = {"title": TITLE, "subject_title": TITLE, "article_url": home}
    comments = one_article | stop | {"comments": [comment], "more": 0, "kind": "thread"}
    articles = [{"title": TITLE, "url": home, "comments": [comment]}]
    return {
        "confirmation": {"wishes": [{"kind": "thread", "title": TITLE}], "confirm_url": home},
        "comments": comments,
        "digest": stop | {"articles": articles, "number": 1, "more": 0},
        "posts": stop | {"articles": [{"title": TITLE, "url": home}]},
        "published": stop | {"title": TITLE, "comment": comment},
        "held": stop | {"comments": [comment], "number": 1, "more": 0, "queue_url": queue_url, "days": 7},
    }
