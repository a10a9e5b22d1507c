"""The Mastodon instances where this service is registered; it registers at the first login from an instance."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.integrations.oauth import mastodon
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.models import Registration


def provider_of(session: Session, row: Provider, host: str, redirect_uri: str) -> Provider:
    """Return the provider for an instance. Commits a new registration; raises ProviderError."""
    registration = session.get(Registration, host)
    if registration is None:
        session.rollback()  # no transaction may stay open during a request
        website = redirect_uri.rpartition("/login/")[0]
        client_id, secret = mastodon.register(host, redirect_uri, name="Comments", website=website)
        begin_write(session)
        registration = Registration(host=host, client_id=client_id, client_secret=secret)
        session.add(registration)
        try:
            session.commit()
        except IntegrityError:  # two people from one instance at once; the first registration serves both
            session.rollback()
            registration = session.get_one(Registration, host)
    return mastodon.provider_at(row, host, registration.client_id, registration.client_secret)
