"""A site's owners and moderators, and its open invitations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.domain.accounts import api_tokens, invitations
from commentsvc.errors import ForbiddenError, NotFoundError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Commenter, Identity, Membership, Role, Site, Ticket

_GONE = gettext_noop("This no longer exists.")


@dataclass(frozen=True, slots=True)
class TeamMember:
    """A person with a role on a site."""

    id: int
    """The membership's id."""
    commenter_id: int
    name: str
    role: Role
    providers: list[str]
    """The providers they log in with."""


def members(session: Session, site_id: int) -> list[TeamMember]:
    """Return everybody with a role, owners first."""
    query = (
        select(Membership.id, Membership.commenter_id, Commenter.name, Membership.role)
        .join(Commenter, Commenter.id == Membership.commenter_id)
        .where(Membership.site_id == site_id)
    )
    rows = session.execute(query).all()
    logins: dict[int, set[str]] = {}
    theirs = select(Identity.commenter_id, Identity.provider).where(
        Identity.commenter_id.in_([row.commenter_id for row in rows])
    )
    for commenter_id, provider in session.execute(theirs):
        logins.setdefault(commenter_id, set()).add(provider)
    team = [TeamMember(*row, sorted(logins.get(row.commenter_id, set()))) for row in rows]
    return sorted(team, key=lambda member: (member.role is not Role.OWNER, member.name.casefold(), member.id))


def open_invitations(session: Session, site_id: int, *, at: datetime) -> Sequence[Ticket]:
    """Return the invitations that nobody has accepted yet, the latest first."""
    query = select(Ticket).where(
        Ticket.site_id == site_id,
        Ticket.purpose == invitations.INVITE,
        Ticket.redeemed_at.is_(None),
        Ticket.expires_at >= at,
    )
    return session.scalars(query.order_by(Ticket.id.desc())).all()


def invite(session: Session, site: Site, role: Role, *, moderator_id: int, at: datetime) -> str:
    """Return the secret of a link that gives the first person who opens it a role. Needs `begin_write`."""
    token = invitations.invite(session, site, role, at=at)
    summary = f"Created an invitation for the role of {role.value}."
    _record(session, site.id, moderator_id, "invite.make", summary, at, None)
    return token


def withdraw(session: Session, ticket_id: int, *, moderator_id: int, at: datetime) -> None:
    """Invalidate an invitation's link. Needs `begin_write`; raises NotFoundError."""
    ticket = session.get(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    if ticket is None or ticket.site_id is None or not _is_open(ticket):
        raise NotFoundError(gettext(_GONE))
    role = ticket.role or Role.MODERATOR
    summary = f"Withdrew an invitation for the role of {role.value}."
    _record(session, ticket.site_id, moderator_id, "invite.withdraw", summary, at, None)
    session.delete(ticket)
    session.flush()


def change(session: Session, membership_id: int, role: Role, *, moderator_id: int, at: datetime) -> str:
    """Change a member's role; return their name. Needs `begin_write`.

    Raises NotFoundError, and ForbiddenError if the site would have no owner left.
    """
    membership, name = _locked(session, membership_id)
    if membership.role is role:
        return name
    if role is not Role.OWNER:
        _require_another_owner(session, membership, name)
    membership.role = role
    summary = f"Made {name} {'an owner' if role is Role.OWNER else 'a moderator'}."
    _record(session, membership.site_id, moderator_id, "role.change", summary, at, membership)
    return name


def remove(session: Session, membership_id: int, *, moderator_id: int, at: datetime) -> str:
    """Remove a member's role and end their API tokens here, with immediate effect; return their name.

    Needs `begin_write`. Raises NotFoundError, and ForbiddenError if the site would have no owner left.
    """
    membership, name = _locked(session, membership_id)
    _require_another_owner(session, membership, name)
    api_tokens.end_on(session, membership.commenter_id, membership.site_id)
    summary = f"Removed {name}'s role as {membership.role.value}."
    _record(session, membership.site_id, moderator_id, "role.remove", summary, at, membership)
    session.delete(membership)
    session.flush()
    return name


def site_of(session: Session, *, membership_id: int | None = None, ticket_id: int | None = None) -> int:
    """Return the site of a membership or of an invitation; raises NotFoundError."""
    site_id: int | None = None
    if membership_id is not None:
        site_id = session.scalar(select(Membership.site_id).where(Membership.id == membership_id))
    elif ticket_id is not None:
        query = select(Ticket.site_id).where(Ticket.id == ticket_id, Ticket.purpose == invitations.INVITE)
        site_id = session.scalar(query)
    if site_id is None:
        raise NotFoundError(gettext(_GONE))
    return site_id


def _locked(session: Session, membership_id: int) -> tuple[Membership, str]:
    """Return a membership; locks all roles on its site, so that two owners cannot remove each other at once."""
    site_id = site_of(session, membership_id=membership_id)
    all_of_them = select(Membership).where(Membership.site_id == site_id).order_by(Membership.id)
    rows = session.scalars(all_of_them.with_for_update().execution_options(populate_existing=True)).all()
    membership = next((row for row in rows if row.id == membership_id), None)
    if membership is None:
        raise NotFoundError(gettext(_GONE))
    return membership, session.get_one(Commenter, membership.commenter_id).name


def _require_another_owner(session: Session, membership: Membership, name: str) -> None:
    if membership.role is not Role.OWNER:
        return
    others = select(Membership.id).where(
        Membership.site_id == membership.site_id,
        Membership.role == Role.OWNER,
        Membership.id != membership.id,
    )
    if session.scalar(others.limit(1)) is None:
        raise ForbiddenError(
            gettext("%(name)s is the only owner of this site. Make somebody else its owner first.")
            % {"name": name}
        )


def _is_open(ticket: Ticket) -> bool:
    return ticket.purpose == invitations.INVITE and ticket.redeemed_at is None


def _record(
    session: Session,
    site_id: int,
    moderator_id: int,
    kind: str,
    summary: str,
    at: datetime,
    about: Membership | None,
) -> None:
    actions.record(
        session,
        site_id=site_id,
        moderator_id=moderator_id,
        kind=kind,
        summary=summary,
        at=at,
        facts={"commenter": about.commenter_id} if about else None,
    )
