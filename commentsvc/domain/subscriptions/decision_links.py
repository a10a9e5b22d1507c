"""The links by which a moderator decides on one held comment, from the mail about it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from commentsvc.domain.subscriptions import moderator_mail
from commentsvc.integrations import signing
from commentsvc.models import Comment, Delivery, DeliveryKind, Role, Subscription

_PURPOSE = "decide on a comment"
_TOKEN_LENGTH = 32


@dataclass(frozen=True, slots=True)
class DecisionLink:
    """What the link of a mail is about: one comment and the moderator to whom it was mailed."""

    delivery: Delivery
    subscription: Subscription
    comment: Comment
    moderator_id: int
    role: Role


def token_of(secret: str, delivery: Delivery) -> str:
    """Return the token of the link about one comment to one address, in hexadecimal digits; it is stored nowhere."""
    text = f"{delivery.id} {delivery.comment_id} {delivery.recipient_hash}"
    return signing.keyed_hash(secret, _PURPOSE, text)[:_TOKEN_LENGTH]


def find_link(
    session: Session, secret: str, delivery_id: int, token: str, *, at: datetime
) -> DecisionLink | None:
    """Return what a link is about; None if it is unknown or too old, or its moderator's role or mail has ended."""
    row = session.get(Delivery, delivery_id)
    if row is None or row.kind is not DeliveryKind.HELD or row.created_at <= at - moderator_mail.LINK_LIFE:
        return None
    if not hmac.compare_digest(token_of(secret, row).encode(), token.encode()):
        return None
    subscription = session.get(Subscription, row.subscription_id) if row.subscription_id else None
    comment = session.get(Comment, row.comment_id) if row.comment_id else None
    if subscription is None or comment is None or comment.site_id != subscription.site_id:
        return None
    role = moderator_mail.role_of(session, subscription)
    if role is None or subscription.commenter_id is None:
        return None
    return DecisionLink(row, subscription, comment, subscription.commenter_id, role)
