"""Tells an owner why no mail of a site came to an address, from what is kept under the address's keyed hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.notifications import outbox, suppression
from commentsvc.models import Delivery, Subscription, SuppressionReason

MOST = 20
"""Mails that are listed."""


@dataclass(frozen=True, slots=True)
class MailHistory:
    """What a site knows about the mail to an address."""

    suppressed: SuppressionReason | None
    """Why it gets no mail; None if it may get mail."""
    subscriptions: Sequence[Subscription]
    deliveries: Sequence[Delivery]
    """The latest ones of 30 days, the latest first."""

    @property
    def is_empty(self) -> bool:
        """Whether the address is unknown."""
        return self.suppressed is None and not self.subscriptions and not self.deliveries


def of_address(session: Session, key: bytes, site_id: int, address: str, *, at: datetime) -> MailHistory:
    """Return what one site knows about an address in the form of `fields.email`; other sites' mail is not in it."""
    address_hash = suppression.hash_of_address(key, address)
    subscriptions = select(Subscription).where(
        Subscription.site_id == site_id, Subscription.address_hash == address_hash
    )
    deliveries = select(Delivery).where(
        Delivery.site_id == site_id,
        Delivery.recipient_hash == address_hash,
        Delivery.created_at > at - outbox.KEPT,
    )
    return MailHistory(
        suppression.effective(session, address_hash, site_id),
        session.scalars(subscriptions.order_by(Subscription.id.desc()).limit(MOST)).all(),
        session.scalars(deliveries.order_by(Delivery.id.desc()).limit(MOST)).all(),
    )
