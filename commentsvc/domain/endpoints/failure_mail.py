"""Mails a site's owners, each in their language, that an endpoint was switched off because it failed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc import messages
from commentsvc.domain.notifications import outbox
from commentsvc.domain.subscriptions import moderator_mail
from commentsvc.domain.subscriptions.links import MailLinks
from commentsvc.integrations import mail_templates
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Endpoint, OffReason, Role, Subscription, SubscriptionKind

WHY = {
    OffReason.OWNER: gettext_noop("An owner switched it off."),
    OffReason.GONE: gettext_noop("It answered that it is gone for good (410)."),
    OffReason.FAILING: gettext_noop("It failed for three days."),
    OffReason.KEY: gettext_noop(
        "The service's secret key was changed, so that its address cannot be read any more."
    ),
}


def enqueue(session: Session, endpoint: Endpoint, links: MailLinks, *, at: datetime) -> int:
    """Enqueue a mail to each owner who gets mail of the site; return the number of mails. Needs `begin_write`."""
    owners = _owners(session, endpoint.site_id)
    for address, language in sorted(owners.items()):
        with messages.using(language):
            outbox.enqueue(
                session,
                site_id=endpoint.site_id,
                recipient=address,
                subject=gettext("“%(name)s” was switched off") % {"name": mail_templates.line(endpoint.name)},
                text=_text(endpoint, links.endpoint(endpoint.site_id, endpoint.id)),
                at=at,
            )
    return len(owners)


def _text(endpoint: Endpoint, url: str) -> str:
    facts = {
        "name": mail_templates.isolated(endpoint.name),
        "host": mail_templates.isolated(endpoint.host),
        "site": mail_templates.isolated(endpoint.site.name),
    }
    paragraphs = (
        # translators: the name of a webhook or chat, its host name, and the website
        gettext("The service sends nothing more to “%(name)s” (%(host)s) of %(site)s.") % facts,
        gettext(WHY[endpoint.off_reason or OffReason.OWNER]),
        gettext("You can look at its log, change it, and switch it on again:"),
        f"    {url}",
    )
    return "\n\n".join(map(mail_templates.filled, paragraphs)) + "\n"


def _owners(session: Session, site_id: int) -> dict[str, str]:
    """Return the languages of owners by their confirmed addresses, at which they get mail about held comments."""
    query = select(Subscription).where(
        Subscription.site_id == site_id, Subscription.kind == SubscriptionKind.HELD
    )
    rows = [row for row in session.scalars(query) if moderator_mail.role_of(session, row) is Role.OWNER]
    return {row.address: moderator_mail.language_of(row) for row in rows if row.address}
