"""One sample of each mail, with invented words, so that an owner sees what readers get, in the site's language."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from commentsvc import languages, messages
from commentsvc.domain.notifications.outbox import OutgoingMail
from commentsvc.domain.subscriptions.mail_words import MailWriter
from commentsvc.messages import gettext
from commentsvc.models import Delivery, DeliveryKind, Subscription

REASON = "This person has no approved comment on this site yet."
"""One of those in `domain/spam/checks.py`, which marks it for translation."""


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
    site = subscription.site
    home = site.origins[0].origin if site.origins else writer.links.base_url
    # What only moderators get is not in all languages.
    with messages.using(languages.for_admin(site.language) if row.text == "held" else site.language):
        facts = _facts(home, writer.links.queue(site.id))
        name = row.text if row.text in facts else "confirmation"
        return writer.sample(row, subscription, name, facts[name])


def _facts(home: str, queue_url: str) -> dict[str, dict[str, Any]]:
    """Return what each template says, by the template's name; every link leads to `home`."""
    title = gettext("An article of yours")
    text = gettext("This is a sample: nobody wrote this comment, and its links lead to your site.")
    comment = {
        "author": "Ada",
        "text": text,
        "is_cut": False,
        "is_answer": False,
        "url": home,
        "title": title,
        "reasons": [gettext(REASON)],
        "approve_url": home,
        "spam_url": home,
        "trash_url": home,
        "reply_url": home,
    }
    stop = {"stop_url": home, "list_url": home}
    one_article = {"title": title, "subject_title": title, "article_url": home}
    comments = one_article | stop | {"comments": [comment], "more": 0, "kind": "thread"}
    articles = [{"title": title, "url": home, "comments": [comment]}]
    return {
        "confirmation": {"wishes": [{"kind": "thread", "title": title}], "confirm_url": home},
        "comments": comments,
        "digest": stop | {"articles": articles, "number": 1, "more": 0},
        "posts": stop | {"articles": [{"title": title, "url": home}]},
        "published": stop | {"title": title, "comment": comment},
        "held": stop | {"comments": [comment], "number": 1, "more": 0, "queue_url": queue_url, "days": 7},
    }
