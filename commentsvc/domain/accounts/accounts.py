"""Commenters, their roles, and sign-in links to the admin view."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import login_sessions, token_hashes
from commentsvc.domain.accounts.login_sessions import ADMIN
from commentsvc.errors import LinkSpentError, NotFoundError
from commentsvc.integrations import signing
from commentsvc.models import Commenter, Identity, Membership, Role, Site, Ticket

OPERATOR = ("local", "", "operator")
"""Provider, issuer and subject of the person with access to this machine's command line."""
LINK_LIFE = timedelta(minutes=30)
SESSION_LIFE = timedelta(days=14)


def operator(session: Session) -> Commenter:
    """Return the operator's account; creates it at first use. Needs `begin_write`."""
    provider, issuer, subject = OPERATOR
    account = session.scalar(
        select(Commenter)
        .join(Identity)
        .where(Identity.provider == provider, Identity.issuer == issuer, Identity.subject == subject)
    )
    if account is not None:
        return account
    commenter = Commenter(name="Site owner")
    session.add(commenter)
    session.flush()
    session.add(Identity(commenter_id=commenter.id, provider=provider, issuer=issuer, subject=subject))
    session.flush()
    return commenter


@dataclass(frozen=True)
class SignIn:
    """A sign-in to the admin view by a one-time secret."""

    person: Commenter
    provider: str | None
    """The provider they have just logged in with; None for a link that somebody created for them."""
    is_open: bool
    """Whether it can still be used."""


def issue_link(
    session: Session, commenter: Commenter, *, at: datetime, identity: Identity | None = None
) -> str:
    """Return the secret of a one-time sign-in link to the admin view. Needs `begin_write`.

    `identity` is the identity that the person has just logged in with, if the link is for that.
    """
    token = signing.new_token()
    session.add(
        Ticket(
            token_hash=token_hashes.hash_of_token(session, token),
            commenter_id=commenter.id,
            identity_id=identity.id if identity else None,
            purpose=ADMIN,
            created_at=at,
            expires_at=at + LINK_LIFE,
        )
    )
    return token


def find_link(session: Session, token: str, *, at: datetime) -> SignIn | None:
    """Return the sign-in of a one-time secret without using it up; None if it is unknown."""
    ticket = session.scalar(
        select(Ticket).where(
            Ticket.token_hash == token_hashes.hash_of_token(session, token), Ticket.purpose == ADMIN
        )
    )
    if ticket is None or ticket.commenter_id is None:
        return None
    person = session.get_one(Commenter, ticket.commenter_id)
    provider = ticket.identity.provider if ticket.identity else None
    return SignIn(person, provider, is_open=ticket.redeemed_at is None and ticket.expires_at >= at)


def redeem_link(session: Session, token: str, *, at: datetime, browser: str = "") -> str:
    """Use up a one-time link; return the token of the new session in `browser`. Needs `begin_write`.

    Raises LinkSpentError if the link is unknown, used or expired.
    """
    ticket = session.scalar(
        select(Ticket)
        .where(Ticket.token_hash == token_hashes.hash_of_token(session, token), Ticket.purpose == ADMIN)
        .with_for_update()
    )
    if (
        ticket is None
        or ticket.commenter_id is None
        or ticket.redeemed_at is not None
        or ticket.expires_at < at
    ):
        raise LinkSpentError
    ticket.redeemed_at = at
    return login_sessions.open_for(
        session,
        commenter_id=ticket.commenter_id,
        identity_id=None,
        purpose=ADMIN,
        site_id=None,
        browser=browser,
        at=at,
        life=SESSION_LIFE,
    )


def sites_of(session: Session, commenter: Commenter) -> list[Site]:
    """Return the sites on which a person has a role, by name."""
    query = select(Site).join(Membership).where(Membership.commenter_id == commenter.id).order_by(Site.name)
    return list(session.scalars(query))


def role_on(session: Session, commenter_id: int, site_id: int) -> Role | None:
    """Return a person's role on a site, or None."""
    return session.scalar(
        select(Membership.role).where(Membership.commenter_id == commenter_id, Membership.site_id == site_id)
    )


def require_role(session: Session, commenter: Commenter, site_id: int, *, owner: bool = False) -> Role:
    """Return a person's role on a site.

    Raises NotFoundError if there is none (or it is not owner, with `owner`): outsiders must not learn what exists.
    """
    role = role_on(session, commenter.id, site_id)
    if role is None or (owner and role is not Role.OWNER):
        raise NotFoundError
    return role
