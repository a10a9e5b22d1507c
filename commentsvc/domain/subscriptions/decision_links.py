"""The links by which a moderator decides on one held comment, from the mail or the chat message about it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from commentsvc.domain.accounts import accounts
from commentsvc.domain.subscriptions import moderator_mail
from commentsvc.integrations import signing
from commentsvc.models import Comment, Delivery, DeliveryKind, Endpoint, Event, Role, Site, Subscription

_PURPOSE = "decide on a comment"
_TOKEN_LENGTH = 32


@dataclass(frozen=True, slots=True)
class DecisionLink:
    """What a link is about: one comment and the moderator in whose name it decides.

    That is the person to whom it was mailed, or who set up the chat, whoever presses the button there.
    """

    delivery: Delivery
    site: Site
    comment: Comment
    moderator_id: int
    role: Role
    chat: str | None = None
    """The name of the chat that got the link; None for a mail."""
    language: str = ""
    """Of the mail; empty for a chat."""


def token_of(secret: str, delivery: Delivery) -> str:
    """Return the token of the link about one comment to one recipient, in hexadecimal digits; it is stored nowhere."""
    recipient = f"endpoint {delivery.endpoint_id}" if delivery.endpoint_id else delivery.recipient_hash
    text = f"{delivery.id} {delivery.comment_id} {recipient}"
    return signing.keyed_hash(secret, _PURPOSE, text)[:_TOKEN_LENGTH]


def find_link(
    session: Session, secret: str, delivery_id: int, token: str, *, at: datetime
) -> DecisionLink | None:
    """Return what a link is about; None if it is unknown or too old, or its moderator's role or mail has ended."""
    row = session.get(Delivery, delivery_id)
    if row is None or not _has_links(row) or row.created_at <= at - moderator_mail.LINK_LIFE:
        return None
    if not hmac.compare_digest(token_of(secret, row).encode(), token.encode()):
        return None
    comment = session.get(Comment, row.comment_id) if row.comment_id else None
    if row.endpoint_id is not None:
        return _link_of_chat(session, row, comment)
    subscription = session.get(Subscription, row.subscription_id) if row.subscription_id else None
    if subscription is None or comment is None or comment.site_id != subscription.site_id:
        return None
    role = moderator_mail.role_of(session, subscription)
    if role is None or subscription.commenter_id is None:
        return None
    language = moderator_mail.language_of(subscription)
    return DecisionLink(row, subscription.site, comment, subscription.commenter_id, role, language=language)


def _has_links(row: Delivery) -> bool:
    is_chat = row.kind is DeliveryKind.CHAT and row.event is Event.HELD
    return row.kind is DeliveryKind.HELD or is_chat


def _link_of_chat(session: Session, row: Delivery, comment: Comment | None) -> DecisionLink | None:
    endpoint = session.get(Endpoint, row.endpoint_id)
    if endpoint is None or comment is None or comment.site_id != endpoint.site_id:
        return None
    if not endpoint.has_links or endpoint.off_at is not None or endpoint.commenter_id is None:
        return None
    role = accounts.role_on(session, endpoint.commenter_id, endpoint.site_id)
    if role is None:
        return None
    return DecisionLink(row, endpoint.site, comment, endpoint.commenter_id, role, chat=endpoint.name)
