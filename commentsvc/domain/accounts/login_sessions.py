"""Sessions: opaque tokens, stored as hashes, each for one purpose and one site; their owner can end them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import token_hashes
from commentsvc.integrations import signing
from commentsvc.models import LoginSession

READER = "reader"
"""Commenting on one site."""
PERSON = "person"
"""A person's own page, and standalone thread pages."""
OWN = "own"
"""A person's own page only, for users of a site's single sign-on, which is not trusted elsewhere."""
ADMIN = "admin"
"""The admin view."""
LIFE = timedelta(days=60)
FRESH = timedelta(minutes=10)
"""How recent a login must be for changes to how a person logs in."""


def open_for(
    session: Session,
    *,
    commenter_id: int,
    identity_id: int | None,
    purpose: str,
    site_id: int | None,
    browser: str,
    at: datetime,
    life: timedelta = LIFE,
) -> str:
    """Open a session; return its token. Needs `begin_write`."""
    token = signing.new_token()
    session.add(
        LoginSession(
            token_hash=token_hashes.hash_of_token(session, token),
            commenter_id=commenter_id,
            identity_id=identity_id,
            site_id=site_id,
            purpose=purpose,
            browser=browser[:80] or None,
            created_at=at,
            expires_at=at + life,
        )
    )
    return token


def find(
    session: Session, token: str, *, purpose: str, at: datetime, site_id: int | None = None
) -> LoginSession | None:
    """Return the session of this token for this purpose and site, or None."""
    login_session = session.scalar(
        select(LoginSession).where(
            LoginSession.token_hash == token_hashes.hash_of_token(session, token),
            LoginSession.purpose == purpose,
            LoginSession.expires_at > at,
        )
    )
    return login_session if login_session is not None and login_session.site_id == site_id else None


def by_id(session: Session, session_id: int) -> LoginSession:
    """Return a session that is known to exist."""
    return session.get_one(LoginSession, session_id)


def is_fresh(login_session: LoginSession, *, at: datetime) -> bool:
    """Whether its owner has just logged in."""
    return login_session.created_at + FRESH > at


def sessions_of(session: Session, commenter_id: int, *, at: datetime) -> Sequence[LoginSession]:
    """Return a person's sessions that have not expired, the newest first."""
    query = select(LoginSession).where(
        LoginSession.commenter_id == commenter_id, LoginSession.expires_at > at
    )
    return session.scalars(query.order_by(LoginSession.id.desc()).limit(100)).all()


def end(session: Session, token: str) -> None:
    """End the session with this token. Needs `begin_write`."""
    session.execute(
        delete(LoginSession).where(LoginSession.token_hash == token_hashes.hash_of_token(session, token))
    )


def end_one(session: Session, commenter_id: int, session_id: int) -> None:
    """End one of a person's sessions; no effect if it is not theirs. Needs `begin_write`."""
    session.execute(
        delete(LoginSession).where(LoginSession.id == session_id, LoginSession.commenter_id == commenter_id)
    )


def end_all(session: Session, commenter_id: int, *, but: int | None = None) -> None:
    """End all of a person's sessions except `but`. Needs `begin_write`."""
    query = delete(LoginSession).where(LoginSession.commenter_id == commenter_id)
    session.execute(query if but is None else query.where(LoginSession.id != but))
