"""Single sign-on for a site's own users: the site's secret, and sessions that are valid only on that site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain import fields
from commentsvc.domain.accounts import identities, imported_comments, login_sessions, profiles
from commentsvc.errors import InvalidFieldsError, LoginFailedError
from commentsvc.integrations import signing
from commentsvc.integrations.sso_tokens import SsoClaims
from commentsvc.messages import gettext
from commentsvc.models import Commenter, Identity, LoginSession, Site

PROVIDER = "sso"
LIFE = timedelta(days=1)
"""Life of a session: every page of the site signs its reader in again."""
RENEWED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class SsoLogin:
    """The person, and the token of their new session; None if they already had one."""

    commenter_id: int
    token: str | None = None


def new_secret(session: Session, site: Site) -> str:
    """Give a site a new secret, and end the sessions of the earlier one. Needs `begin_write`."""
    secret = signing.new_token()
    _set(session, site, secret)
    return secret


def switch_off(session: Session, site: Site) -> None:
    """Turn a site's sign-in off, and end its sessions. Needs `begin_write`."""
    _set(session, site, None)


def log_in(
    session: Session,
    site: Site,
    person: SsoClaims,
    *,
    held: LoginSession | None,
    browser: str,
    at: datetime,
) -> SsoLogin:
    """Open a session for a user of the site, unless `held` is already theirs.

    If `held` belongs to another person, it ends. Needs `begin_write`; raises LoginFailedError for an invalid name.
    """
    identity = _identity(session, site, person, at=at)
    if held is not None and held.identity_id == identity.id:
        if held.created_at + RENEWED_AFTER < at:
            held.created_at, held.expires_at = at, at + LIFE
        return SsoLogin(identity.commenter_id)
    if held is not None:
        session.delete(held)
    _give_imported(session, site, identity.commenter_id, person.email)
    token = login_sessions.open_for(
        session,
        commenter_id=identity.commenter_id,
        identity_id=identity.id,
        purpose=login_sessions.READER,
        site_id=site.id,
        browser=browser,
        at=at,
        life=LIFE,
    )
    return SsoLogin(identity.commenter_id, token)


def _set(session: Session, site: Site, secret: str | None) -> None:
    """Set the secret and end all sessions: whoever knew the earlier secret may have signed in as anybody."""
    site.sso_secret = secret
    session.flush()
    theirs = select(Identity.id).where(Identity.provider == PROVIDER, Identity.issuer == issuer(site.id))
    ended = delete(LoginSession).where(LoginSession.identity_id.in_(theirs))
    change_rows(session, ended)


def issuer(site_id: int) -> str:
    """Return the issuer of the identities of a site's own users."""
    return f"site:{site_id}"


def _identity(session: Session, site: Site, person: SsoClaims, *, at: datetime) -> Identity:
    """Find or create the identity; its name becomes the one that the site sends, also on earlier comments."""
    try:
        name = fields.name(person.name)
    except InvalidFieldsError as error:
        raise LoginFailedError(
            gettext("The website's sign-in has no valid name: %(fault)s") % {"fault": error}
        ) from None
    identity = identities.identity_of_login(
        session, PROVIDER, issuer(site.id), person.subject, name=name, link=person.url, at=at
    )
    commenter = session.get_one(Commenter, identity.commenter_id)
    website = _website(person.url)
    if (commenter.name, commenter.website) != (name, website):
        commenter.name, commenter.website = name, website
        session.flush()
        profiles.invalidate_pages_of(session, commenter.id)
    return identity


def _give_imported(session: Session, site: Site, commenter_id: int, email: str | None) -> None:
    """Give users the comments that they wrote before the site moved here, by the address that it has verified."""
    try:
        address = fields.email(email) if email else None
    except InvalidFieldsError:
        return
    if address is not None:
        imported_comments.give(session, site_id=site.id, commenter_id=commenter_id, email=address)


def _website(url: str | None) -> str | None:
    try:
        return fields.website(url) if url else None
    except InvalidFieldsError:
        return None
