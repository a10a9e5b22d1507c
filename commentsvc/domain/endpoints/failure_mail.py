"""Mails a site's owners that an endpoint was switched off because it failed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.notifications import outbox
from commentsvc.domain.subscriptions import moderator_mail
from commentsvc.domain.subscriptions.links import MailLinks
from commentsvc.models import Endpoint, OffReason, Role, Subscription, SubscriptionKind

WHY = {
    OffReason.OWNER: "An owner switched it off.",
    OffReason.GONE: "It answered that it is gone for good (410).",
    OffReason.FAILING: "It failed for three days.",
    OffReason.KEY: "The service's secret key was changed, so that its address cannot be read any more.",
}


def enqueue(session: Session, endpoint: Endpoint, links: MailLinks, *, at: datetime) -> int:
    """Enqueue a mail to each owner who gets mail of the site; return the number of mails. Needs `begin_write`."""
    reason = WHY[endpoint.off_reason or OffReason.OWNER]
    text = (
        f"The service sends nothing more to “{endpoint.name}” ({endpoint.host}) of {endpoint.site.name}.\n"
        f"{reason}\n\nYou can look at its log, change it, and switch it on again:\n\n"
        f"    {links.endpoint(endpoint.site_id, endpoint.id)}\n"
    )
    addresses = _owners(session, endpoint.site_id)
    for address in addresses:
        outbox.enqueue(
            session,
            site_id=endpoint.site_id,
            recipient=address,
            subject=f"“{endpoint.name}” was switched off",
            text=text,
            at=at,
        )
    return len(addresses)


def _owners(session: Session, site_id: int) -> list[str]:
    """Return the confirmed addresses of owners: those at which they get mail about held comments."""
    query = select(Subscription).where(
        Subscription.site_id == site_id, Subscription.kind == SubscriptionKind.HELD
    )
    rows = [row for row in session.scalars(query) if moderator_mail.role_of(session, row) is Role.OWNER]
    return sorted({row.address for row in rows if row.address})
