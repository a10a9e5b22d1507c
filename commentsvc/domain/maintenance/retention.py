"""Deletes what has expired: spam and trash, network hashes, guests' e-mail addresses, used logins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    cast,
    delete,
    exists,
    func,
    inspect,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.db.rows import change_rows
from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import api_answers, api_tokens
from commentsvc.domain.admin import edits
from commentsvc.domain.admin.author_ref import AuthorKind
from commentsvc.domain.maintenance import deleted_data, expired_comments
from commentsvc.domain.notifications import outbox
from commentsvc.domain.proofs import address_codes, address_proofs
from commentsvc.domain.social import social_records
from commentsvc.domain.spam import training
from commentsvc.domain.subscriptions import subscription_records
from commentsvc.domain.threads import threads
from commentsvc.models import (
    AddressCode,
    AddressProof,
    Announcement,
    ApiAnswer,
    ApiToken,
    Comment,
    Delivery,
    LoginSession,
    Note,
    ProviderNotice,
    Report,
    Revision,
    Site,
    Status,
    Ticket,
    Vote,
    search_text,
)

BATCH = 200
"""Rows per transaction, during which nobody else can write on SQLite."""
BATCHES = 10
"""Batches of each kind per sweep, so that mail does not wait long; the next sweep continues."""
TICKETS_KEPT = timedelta(days=1)
"""How long used or expired tickets are remembered, so that their links get a helpful message."""
NOTICES_KEPT = timedelta(days=90)
"""How long notices of login providers are remembered: their pages say what became of them."""

Stopped = Callable[[], bool]


@dataclass(frozen=True)
class RetentionPeriods:
    """For how many days data is kept; 0: for ever, or as long as the comment."""

    networks: int
    emails: int
    spam: int
    trash: int
    consent: int = 1095
    backups: bool = False
    """Whether the service makes backups."""

    @classmethod
    def read(cls, settings: Settings) -> RetentionPeriods:
        """Return the periods from the operator's settings."""
        return cls(
            networks=settings.keep_network_days,
            emails=settings.keep_email_days,
            spam=settings.keep_spam_days,
            trash=settings.keep_trash_days,
            consent=settings.keep_consent_days,
            backups=bool(settings.backup_dir),
        )


def delete_expired(
    session: Session, limits: RetentionPeriods, *, at: datetime, stopped: Stopped = lambda: False
) -> bool:
    """Delete a limited number of expired rows; return whether there may be more. Commits."""
    tasks: list[Callable[[], int]] = [
        partial(_delete_expired, session, LoginSession, LoginSession.expires_at < at),
        partial(_delete_expired, session, Ticket, _is_spent(at - TICKETS_KEPT)),
        partial(_delete_expired, session, ProviderNotice, ProviderNotice.created_at < at - NOTICES_KEPT),
        partial(_delete_expired, session, AddressProof, AddressProof.used_at < at - address_proofs.UNUSED),
        partial(_delete_expired, session, AddressCode, AddressCode.sent_at < at - address_codes.LONG_PAUSE),
        partial(_delete_expired, session, ApiAnswer, ApiAnswer.created_at < at - api_answers.KEPT),
        partial(_delete_expired, session, ApiToken, api_tokens.are_useless(at=at)),
        partial(_delete_expired, session, Revision, Revision.created_at < at - edits.KEPT),
        partial(_delete_expired, session, Delivery, _is_closed(at - outbox.KEPT)),
        partial(_delete_expired, session, Announcement, Announcement.done_at <= at - outbox.KEPT),
        *(partial(task, session, at=at) for task in subscription_records.TASKS),
        *(partial(task, session, at=at) for task in social_records.TASKS),
    ]
    if limits.consent:
        before = at - timedelta(days=limits.consent)
        tasks.append(partial(subscription_records.delete_ended, session, at=before))
    sites = session.scalars(select(Site.id).order_by(Site.id)).all()
    for status, days in ((Status.SPAM, limits.spam), (Status.TRASH, limits.trash)):
        if days:
            remove = partial(expired_comments.remove, before=at - timedelta(days=days), limit=BATCH)
            tasks += [partial(remove, session, site_id, status) for site_id in sites]
    for days, forgets in (
        (limits.networks, (_forget_networks, _forget_reporters, _forget_voters)),
        (limits.emails, (_forget_emails, _forget_notes)),
    ):
        if days:
            tasks += [partial(forget, session, at - timedelta(days=days)) for forget in forgets]
    left = False
    for task in tasks:
        left = _repeat(task, stopped) or left
    session.rollback()
    if not left and session.get_bind().dialect.name == "sqlite":
        deleted_data.empty_log(session.get_bind().engine, within=0)
    return left


def _repeat(task: Callable[[], int], stopped: Stopped) -> bool:
    """Repeat a task until nothing is left; return whether it stopped earlier."""
    for _ in range(BATCHES):
        if stopped():
            return True
        if not task():
            return False
    return True


def _delete_expired(session: Session, table: Any, is_due: ColumnElement[bool]) -> int:
    session.rollback()
    (key,) = inspect(table).primary_key
    keys = session.scalars(select(key).where(is_due).limit(BATCH)).all()
    if keys:
        begin_write(session)
        change_rows(session, delete(table).where(key.in_(keys), is_due))
        session.commit()
    return len(keys)


def _is_spent(before: datetime) -> ColumnElement[bool]:
    return or_(Ticket.expires_at < before, Ticket.redeemed_at < before)


def _is_closed(before: datetime) -> ColumnElement[bool]:
    """Select the old deliveries that were sent or given up."""
    return Delivery.next_attempt_at.is_(None) & (Delivery.created_at < before)


def _forget_networks(session: Session, before: datetime) -> int:
    ids = _locked(session, Comment.network_hash.is_not(None), Comment.created_at < before)
    if ids:
        change_rows(session, update(Comment).where(Comment.id.in_(ids)).values(network_hash=None))
        session.commit()
    return len(ids)


def _forget_reporters(session: Session, before: datetime) -> int:
    """Delete the networks of old reports, and what identifies guests. The reports stay."""
    session.rollback()
    query = select(Report.id).where(Report.network_hash.is_not(None), Report.created_at < before)
    ids = session.scalars(query.order_by(Report.id).limit(BATCH)).all()
    if ids:
        begin_write(session)
        here = Report.id.in_(ids)
        nobody = literal("expired:") + cast(Report.id, String)
        change_rows(
            session, update(Report).where(here, Report.member.is_(False)).values(reporter_hash=nobody)
        )
        change_rows(session, update(Report).where(here).values(network_hash=None))
        session.commit()
    return len(ids)


def _forget_voters(session: Session, before: datetime) -> int:
    """Delete the networks of guests who voted, and the votes that only a network identifies. The numbers stay."""
    session.rollback()
    is_due = (Vote.network_hash.is_not(None)) & (Vote.created_at < before)
    rows = session.execute(select(Vote.voter, Vote.comment_id).where(is_due).limit(BATCH)).all()
    if rows:
        begin_write(session)
        here = tuple_(Vote.voter, Vote.comment_id).in_([(row.voter, row.comment_id) for row in rows])
        change_rows(session, delete(Vote).where(here, Vote.voter.startswith("network:")))
        change_rows(session, update(Vote).where(here).values(network_hash=None))
        session.commit()
    return len(rows)


def _forget_emails(session: Session, before: datetime) -> int:
    ids = _locked(session, Comment.guest_email.is_not(None), Comment.created_at < before)
    if not ids:
        return 0
    here = Comment.id.in_(ids)
    query = select(Comment).where(here, Comment.learned.is_not(None)).order_by(Comment.thread_id, Comment.id)
    for comment in session.scalars(query.execution_options(populate_existing=True)):
        learned = comment.learned
        training.learn(session, comment, None)  # unlearn the text with the address; learned below without it
        comment.guest_email = None
        training.learn(session, comment, learned)
    session.flush()
    nameless = select(Comment.id, Comment.source, Comment.guest_name).where(here)
    without = [
        {"id": row.id, "guest_email": None, "search_text": search_text(Comment, dict(row._mapping))}
        for row in session.execute(nameless)
    ]
    session.execute(update(Comment), without)
    change_rows(session, update(Revision).where(Revision.comment_id.in_(ids)).values(guest_email=None))
    session.commit()
    return len(ids)


def _forget_notes(session: Session, before: datetime) -> int:
    """Delete moderators' notes about addresses that no comment has any more."""
    address = func.substr(Note.about, len(AuthorKind.EMAIL.prefix) + 1)
    still = exists().where(Comment.site_id == Note.site_id, Comment.guest_email == address)
    is_due = (Note.about.startswith(AuthorKind.EMAIL.prefix)) & (Note.created_at < before) & ~still
    return _delete_expired(session, Note, is_due)


def _locked(session: Session, *which: ColumnElement[bool]) -> Sequence[int]:
    """Return a batch of comments that fulfil `which`, their threads locked; ends the transaction if there are none."""
    session.rollback()
    rows = session.execute(select(Comment.id, Comment.thread_id).where(*which).limit(BATCH)).all()
    if not rows:
        return []
    begin_write(session)
    threads.lock_all(session, (row.thread_id for row in rows))
    return sorted(row.id for row in rows)
