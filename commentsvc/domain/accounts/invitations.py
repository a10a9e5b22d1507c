"""Roles for people who log in with a provider: granted to an account, or by a link that works once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from commentsvc.domain import fields
from commentsvc.domain.accounts import api_tokens, identities, token_hashes
from commentsvc.errors import BadAddressError, LinkSpentError, NotFoundError
from commentsvc.integrations import claims, signing
from commentsvc.messages import gettext
from commentsvc.models import Commenter, Identity, Membership, Role, Site, Ticket

INVITE = "invite"
LIFE = timedelta(days=7)


@dataclass(frozen=True)
class Invitation:
    """What an invitation offers."""

    site: str
    role: Role


def grant(
    session: Session, site: Site, role: Role, provider: str, issuer: str, subject: str, *, at: datetime
) -> Commenter:
    """Grant a role to a provider's account, even before its first visit. Needs `begin_write`.

    Raises BadAddressError for a subject that is not valid.
    """
    subject = _subject(subject)
    identity = identities.find(session, provider, issuer, subject)
    commenter = identity.commenter if identity else _expected(session, provider, issuer, subject, at=at)
    _set_role(session, commenter.id, site.id, role)
    return commenter


def revoke(session: Session, site: Site, provider: str, issuer: str, subject: str) -> None:
    """Remove an account's role on a site, and end its API tokens there. Needs `begin_write`.

    Raises NotFoundError if it has none, BadAddressError for a subject that is not valid.
    """
    identity = identities.find(session, provider, issuer, _subject(subject))
    membership = _membership(session, identity.commenter_id, site.id) if identity else None
    if membership is None:
        raise NotFoundError(gettext("This account has no role on %(site)s.") % {"site": site.name})
    api_tokens.end_on(session, membership.commenter_id, site.id)
    session.delete(membership)
    session.flush()


def invite(session: Session, site: Site, role: Role, *, at: datetime) -> str:
    """Return the secret of a link that gives the first person who opens it a role. Needs `begin_write`."""
    session.execute(delete(Ticket).where(Ticket.purpose == INVITE, Ticket.expires_at < at))
    token = signing.new_token()
    session.add(
        Ticket(
            token_hash=token_hashes.hash_of_token(session, token),
            site_id=site.id,
            role=role,
            purpose=INVITE,
            created_at=at,
            expires_at=at + LIFE,
        )
    )
    return token


def find(session: Session, token: str, *, at: datetime) -> Invitation:
    """Return what an invitation offers, without accepting it; raises LinkSpentError."""
    ticket = _open(session, token, at=at, lock=False)
    site = session.get_one(Site, ticket.site_id)
    return Invitation(site.name, ticket.role or Role.MODERATOR)


def redeem(session: Session, token: str, identity: Identity, *, at: datetime) -> None:
    """Give the role to the person who has just logged in, once. Needs `begin_write`; raises LinkSpentError.

    An owner stays an owner.
    """
    ticket = _open(session, token, at=at)
    ticket.redeemed_at, ticket.commenter_id = at, identity.commenter_id
    present = _membership(session, identity.commenter_id, ticket.site_id or 0)
    if present is None or present.role is not Role.OWNER:
        _set_role(session, identity.commenter_id, ticket.site_id or 0, ticket.role or Role.MODERATOR)


def _subject(typed: str) -> str:
    try:
        return claims.subject(typed.strip())
    except ValueError:
        raise BadAddressError(gettext("A subject must be the provider's own id of a person.")) from None


def _open(session: Session, token: str, *, at: datetime, lock: bool = True) -> Ticket:
    query = select(Ticket).where(
        Ticket.token_hash == token_hashes.hash_of_token(session, token), Ticket.purpose == INVITE
    )
    ticket = session.scalar(query.with_for_update() if lock else query)
    if ticket is None or ticket.redeemed_at is not None or ticket.expires_at < at:
        raise LinkSpentError(gettext("This invitation is used or expired."))
    return ticket


def _expected(session: Session, provider: str, issuer: str, subject: str, *, at: datetime) -> Commenter:
    """Create the account of somebody before their first login, which will provide the name."""
    commenter = Commenter(name=subject[: fields.NAME_LONGEST], created_at=at)
    session.add(commenter)
    session.flush()
    session.add(
        Identity(commenter_id=commenter.id, provider=provider, issuer=issuer, subject=subject, created_at=at)
    )
    session.flush()
    return commenter


def _membership(session: Session, commenter_id: int, site_id: int) -> Membership | None:
    return session.scalar(
        select(Membership).where(Membership.commenter_id == commenter_id, Membership.site_id == site_id)
    )


def _set_role(session: Session, commenter_id: int, site_id: int, role: Role) -> None:
    membership = _membership(session, commenter_id, site_id)
    if membership is None:
        membership = Membership(commenter_id=commenter_id, site_id=site_id)
        session.add(membership)
    membership.role = role
    session.flush()
