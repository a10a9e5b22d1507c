"""Sites that sign their own users in: a secret for each, and the session that its word opens there and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from commentsvc.domain import fields
from commentsvc.domain.accounts import identities, login_sessions, profiles
from commentsvc.errors import InvalidFieldsError, LoginFailedError
from commentsvc.integrations import signing
from commentsvc.integrations.sso_tokens import SsoClaims
from commentsvc.models import Commenter, Identity, LoginSession, Site

PROVIDER = "sso"
LIFE = timedelta(days=1)
"""Of a session: the site says anew with every page who is there."""
RENEWED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class SsoLogin:
    """Who came, and the token of their new session; None where they had one."""

    commenter_id: int
    token: str | None = None


def new_secret(session: Session, site: Site) -> str:
    """Give a site a new secret; the earlier one ends, and the sessions it opened. Needs `begin_write`."""
    secret = signing.new_token()
    _set(session, site, secret)
    return secret


def switch_off(session: Session, site: Site) -> None:
    """Let a site sign nobody in any more, and end the sessions it opened. Needs `begin_write`."""
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
    """Open a session for somebody the site vouches for, unless `held` is theirs already.

    Another person's session in `held` ends. Needs `begin_write`; raises LoginFailedError for a name that is none.
    """
    identity = _identity(session, site, person, at=at)
    if held is not None and held.identity_id == identity.id:
        if held.created_at + RENEWED_AFTER < at:
            held.created_at, held.expires_at = at, at + LIFE
        return SsoLogin(identity.commenter_id)
    if held is not None:
        session.delete(held)
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
    """Whoever knew the earlier secret may have signed in as anybody."""
    site.sso_secret = secret
    session.flush()
    theirs = select(Identity.id).where(Identity.provider == PROVIDER, Identity.issuer == _issuer(site))
    ended = delete(LoginSession).where(LoginSession.identity_id.in_(theirs))
    session.execute(ended.execution_options(synchronize_session=False))


def _issuer(site: Site) -> str:
    return f"site:{site.id}"


def _identity(session: Session, site: Site, person: SsoClaims, *, at: datetime) -> Identity:
    """Find or make the identity. Their name is what the site says it is now, on comments of earlier days too."""
    try:
        name = fields.name(person.name)
    except InvalidFieldsError as error:
        raise LoginFailedError(f"The website's sign-in has no proper name: {error}") from None
    identity = identities.identity_of_login(
        session, PROVIDER, _issuer(site), person.subject, name=name, link=person.url, at=at
    )
    commenter = session.get_one(Commenter, identity.commenter_id)
    website = _website(person.url)
    if (commenter.name, commenter.website) != (name, website):
        commenter.name, commenter.website = name, website
        session.flush()
        profiles.invalidate_pages_of(session, commenter.id)
    return identity


def _website(url: str | None) -> str | None:
    try:
        return fields.website(url) if url else None
    except InvalidFieldsError:
        return None
