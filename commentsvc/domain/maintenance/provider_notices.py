"""Carries out what login providers tell about their users: deletes a person, or forgets what the provider gave."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import delete, select, union
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain import actions
from commentsvc.domain.accounts import identities, login_sessions, profiles, token_hashes
from commentsvc.domain.maintenance import erasure
from commentsvc.domain.maintenance.erasure import Texts
from commentsvc.errors import ForbiddenError
from commentsvc.integrations.oauth import catalogue
from commentsvc.integrations.oauth.received_notice import ReceivedNotice
from commentsvc.models import (
    Comment,
    Identity,
    Membership,
    NoticeKind,
    NoticeOutcome,
    Picture,
    ProviderNotice,
    Ticket,
)

log = logging.getLogger(__name__)

OVERDUE = timedelta(minutes=10)
"""After this time a notice is carried out again, because the process that began it was probably killed."""
_LOG = {
    NoticeOutcome.ERASED: "Erased an account: its owner asked {} for it, or has deleted their account there.",
    NoticeOutcome.UNLINKED: "Deleted a login: its owner asked {} for it, or has deleted their account there.",
    NoticeOutcome.FORGOTTEN: "Ended the sessions of an account and forgot its name and picture: its owner "
    "no longer wants to log in with {}.",
    NoticeOutcome.REFUSED: "Kept an account whose owner asked {} for its deletion: this site would have no owner. "
    "Make somebody else its owner; then they can delete the account on their own page.",
}


def receive(
    session: Session, provider: str, issuer: str, notice: ReceivedNotice, *, code: str, at: datetime
) -> None:
    """Store a notice under its confirmation code and carry it out. Commits; a repeated notice changes nothing."""
    begin_write(session)
    is_known = identities.find(session, provider, issuer, notice.subject) is not None
    row = ProviderNotice(
        code_hash=token_hashes.hash_of_token(session, code),
        kind=notice.kind,
        outcome=NoticeOutcome.PENDING if is_known else NoticeOutcome.UNKNOWN,
        provider=provider,
        issuer=issuer if is_known else None,
        subject=notice.subject if is_known else None,
        created_at=at,
    )
    try:
        session.add(row)
        session.commit()
    except IntegrityError:
        session.rollback()
        log.info("%s repeated a notice", provider)
    earlier = find(session, code)
    if earlier is not None and earlier.outcome is NoticeOutcome.PENDING:
        _carry_out(session, earlier.id, at=at)


def find(session: Session, code: str) -> ProviderNotice | None:
    """Return the notice with this confirmation code, or None."""
    code_hash = token_hashes.hash_of_token(session, code)
    return session.scalar(select(ProviderNotice).where(ProviderNotice.code_hash == code_hash))


def resume(session: Session, *, at: datetime) -> None:
    """Carry out notices that were left half done. Commits."""
    due = ProviderNotice.outcome == NoticeOutcome.PENDING, ProviderNotice.created_at < at - OVERDUE
    for row_id in session.scalars(select(ProviderNotice.id).where(*due).limit(10)).all():
        _carry_out(session, row_id, at=at)


def _carry_out(session: Session, row_id: int, *, at: datetime) -> None:
    row = session.get_one(ProviderNotice, row_id)
    identity = _identity(session, row)
    site_ids = _sites_of(session, identity.commenter_id) if identity else []
    erased = _erase(session, identity) if identity and row.kind is NoticeKind.DELETION else None
    begin_write(session)
    row = session.get_one(ProviderNotice, row_id, with_for_update=True, populate_existing=True)
    if row.outcome is not NoticeOutcome.PENDING:  # another process was faster
        session.rollback()
        return
    outcome = erased or _forget(session, row)
    label = catalogue.label_of(row.provider)
    row.outcome, row.issuer, row.subject = outcome, None, None
    for site_id in site_ids:
        actions.record(
            session,
            site_id=site_id,
            moderator_id=None,
            kind=f"account.{outcome}",
            summary=_LOG[outcome].format(label),
            at=at,
        )
    session.commit()
    log.info("a notice of %s is carried out: %s", label, outcome)


def _identity(session: Session, row: ProviderNotice) -> Identity | None:
    return identities.find(session, row.provider, row.issuer or "", row.subject or "")


def _erase(session: Session, identity: Identity) -> NoticeOutcome | None:
    """Erase the account of its only login; None if it has others. Commits."""
    if len(identities.identities_of(session, identity.commenter_id)) > 1:
        return None
    try:
        erasure.erase(session, identity.commenter_id, Texts.REMOVE)
    except ForbiddenError:
        return NoticeOutcome.REFUSED
    return NoticeOutcome.ERASED


def _forget(session: Session, row: ProviderNotice) -> NoticeOutcome:
    """Forget what the provider gave, and for a deletion the login too. The person's sessions end."""
    identity = _identity(session, row)
    if identity is None:  # the account was erased before the process was killed, or by the person
        return NoticeOutcome.ERASED
    identities.forget_profile(session, identity)
    commenter_id = identity.commenter_id
    session.execute(delete(Picture).where(Picture.commenter_id == commenter_id))
    session.execute(delete(Ticket).where(Ticket.identity_id == identity.id))
    login_sessions.end_all(session, commenter_id)
    profiles.invalidate_pages_of(session, commenter_id)
    if row.kind is NoticeKind.WITHDRAWAL:
        return NoticeOutcome.FORGOTTEN
    identities.delete(session, identity)
    return NoticeOutcome.UNLINKED


def _sites_of(session: Session, commenter_id: int) -> list[int]:
    """Return the sites whose moderators know the person: where they commented or have a role."""
    commented = select(Comment.site_id).where(Comment.commenter_id == commenter_id)
    moderated = select(Membership.site_id).where(Membership.commenter_id == commenter_id)
    return sorted(session.scalars(union(commented, moderated)))
