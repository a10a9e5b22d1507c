"""Identities: a Commenter is recognised by provider, issuer and subject, and by nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.domain import fields
from commentsvc.domain.accounts import login_sessions, profiles
from commentsvc.domain.ledger import entries, subjects
from commentsvc.errors import (
    ForbiddenError,
    IdentityTakenError,
    InvalidFieldsError,
    NotFoundError,
    NotFreshError,
)
from commentsvc.messages import gettext
from commentsvc.models import Commenter, Identity, LedgerKind, LoginSession


def identity_of_login(
    session: Session, provider: str, issuer: str, subject: str, *, name: str, link: str | None, at: datetime
) -> Identity:
    """Return the identity of somebody who has just logged in; creates a Commenter for a new one.

    A matching e-mail address, name or handle of another Commenter changes nothing. Needs `begin_write`.
    """
    identity = find(session, provider, issuer, subject)
    shown = _name(name, provider)
    if identity is not None:
        _rename(session, identity, shown)
        return identity
    try:
        with session.begin_nested():
            return _create(session, provider, issuer, subject, name=shown, link=link, at=at)
    except IntegrityError:  # the same person, logging in twice at once
        identity = find(session, provider, issuer, subject)
        if identity is None:
            raise
        return identity


def find(session: Session, provider: str, issuer: str, subject: str) -> Identity | None:
    """Return the identity with this proof, or None."""
    return session.scalar(
        select(Identity).where(
            Identity.provider == provider, Identity.issuer == issuer, Identity.subject == subject
        )
    )


def forget_profile(session: Session, identity: Identity) -> None:
    """Forget the name and the website that a provider gave, until the next login. Needs `begin_write`.

    A name that the person has chosen stays. The provider's id of the person stays too, so that they can come back.
    """
    commenter, nobody = identity.commenter, _name("", identity.provider)
    others = [other for other in identities_of(session, commenter.id) if other.id != identity.id]
    if commenter.name == identity.name:
        commenter.name = next((other.name for other in others if other.name), nobody)
    if not others:
        commenter.website = None
    identity.name = nobody
    session.flush()


def identities_of(session: Session, commenter_id: int) -> Sequence[Identity]:
    """Return a person's identities, each of them a way to log in."""
    query = select(Identity).where(Identity.commenter_id == commenter_id).order_by(Identity.id)
    return session.scalars(query).all()


def link(
    session: Session,
    holder: LoginSession,
    provider: str,
    issuer: str,
    subject: str,
    *,
    name: str,
    at: datetime,
) -> Identity:
    """Add an identity to a person, and end their other sessions. Needs `begin_write`.

    Raises NotFreshError, and IdentityTakenError if the identity belongs to another person.
    """
    _require_fresh(holder, at=at)
    identity = find(session, provider, issuer, subject)
    if identity is not None and identity.commenter_id != holder.commenter_id:
        raise IdentityTakenError
    if identity is None:
        identity = Identity(
            commenter_id=holder.commenter_id,
            provider=provider,
            issuer=issuer,
            subject=subject,
            name=_name(name, provider),
            created_at=at,
        )
        session.add(identity)
        session.flush()
        login_sessions.end_all(session, holder.commenter_id, but=holder.id)
    return identity


def unlink(session: Session, holder: LoginSession, identity_id: int, *, at: datetime) -> None:
    """Remove an identity from a person, and end their other sessions. Needs `begin_write`.

    Raises NotFoundError, NotFreshError, and ForbiddenError if it is the last one.
    """
    _require_fresh(holder, at=at)
    all_of_them = identities_of(session, holder.commenter_id)
    identity = next((other for other in all_of_them if other.id == identity_id), None)
    if identity is None:
        raise NotFoundError(gettext("You have no such linked account."))
    if len(all_of_them) == 1:
        raise ForbiddenError(gettext("This is the only way you can log in. Link another account first."))
    if holder.identity_id == identity.id:
        holder.identity_id = next(other.id for other in all_of_them if other.id != identity.id)
        session.flush()
    delete(session, identity)
    session.flush()
    login_sessions.end_all(session, holder.commenter_id, but=holder.id)


def delete(session: Session, identity: Identity) -> None:
    """Delete an identity, also from later restores of backups. Needs `begin_write`."""
    entries.record(session, LedgerKind.LOGIN, subjects.people(identity.commenter, [identity]))
    session.delete(identity)


def _rename(session: Session, identity: Identity, shown: str) -> None:
    """Note the name that the provider now gives. It becomes the person's if they had none.

    They had none if a role was granted before their first visit, or if their name was forgotten.
    """
    commenter = identity.commenter
    if identity.name is None or commenter.name == _name("", identity.provider) != shown:
        commenter.name = shown
        session.flush()
        profiles.invalidate_pages_of(session, commenter.id)
    identity.name = shown


def _require_fresh(holder: LoginSession, *, at: datetime) -> None:
    if not login_sessions.is_fresh(holder, at=at):
        raise NotFreshError(gettext("Please log in again before you change how you log in."))


def _create(
    session: Session, provider: str, issuer: str, subject: str, *, name: str, link: str | None, at: datetime
) -> Identity:
    commenter = Commenter(name=name, website=_website(link), created_at=at)
    session.add(commenter)
    session.flush()
    identity = Identity(
        commenter_id=commenter.id,
        provider=provider,
        issuer=issuer,
        subject=subject,
        name=name,
        created_at=at,
    )
    session.add(identity)
    session.flush()
    return identity


def _name(name: str, provider: str) -> str:
    try:
        return fields.name(name[: fields.NAME_LONGEST])
    except InvalidFieldsError:
        return f"Someone from {provider.removeprefix('oidc_')}"[: fields.NAME_LONGEST]


def _website(link: str | None) -> str | None:
    try:
        return fields.website(link) if link else None
    except InvalidFieldsError:
        return None
