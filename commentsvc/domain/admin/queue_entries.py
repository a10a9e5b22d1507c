"""Loads comments for moderators, with all details and the reasons for their status."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, union_all
from sqlalchemy.orm import Session, aliased

from commentsvc.domain import comment_excerpts, stored_reasons
from commentsvc.domain.admin import queue_edits
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.admin.queue_edits import WaitingText
from commentsvc.domain.comments import comment_text
from commentsvc.domain.reading.thread_pages import ANONYMOUS
from commentsvc.models import Comment, Commenter, Decision, Kind, Report, Role, Status, TextFormat, Thread
from commentsvc.text import markup

COMPLAINTS = 5
"""Reports per comment in a list."""
COMPLAINTS_IN_FULL = 50
"""Reports on the comment's own page."""
_TALL = re.compile(r"<(?:br|p|li|pre)\b|\n")
_LONG, _LINES = 700, 6


@dataclass(frozen=True, slots=True)
class DecisionSummary:
    """A Decision for display."""

    status: Status
    at: datetime
    moderator: str | None
    reasons: list[str]
    """From the checks that gave this status."""
    checks: list[str]
    """The names of these checks."""


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """A reader's report for display."""

    reason: str
    note: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A comment with everything that moderators may see."""

    id: int
    site_id: int
    thread_id: int
    status: Status
    kind: Kind
    role: Role | None
    name: str
    author: AuthorRef | None
    email: str | None
    is_proved: bool
    """The guest had proved the e-mail address."""
    website: str | None
    is_guest: bool
    has_network: bool
    """Whether comments from the same network can be found."""
    created_at: datetime
    edited_at: datetime | None
    html: markup.SafeHtml | None
    """None if it is too large for a list, which then shows `excerpt`."""
    excerpt: str
    length: int
    """Characters in the source."""
    long: bool
    is_placeholder: bool
    """Whether the comment was deleted for good, and only its place is left."""
    title: str | None
    url: str
    parent_id: int | None
    parent_name: str | None
    decision: DecisionSummary | None
    ups: int
    downs: int
    reports: int
    report_summaries: list[ReportSummary]
    """The latest reports that still count."""
    reported_since: datetime | None
    """The time of the first report."""
    waiting: WaitingText | None
    """The author's new text, if it waits for a moderator."""
    edited_by_author: bool
    was_erased: bool
    """Whether its author deleted it, so that nobody can restore it."""


def load(session: Session, ids: Sequence[int], *, whole: bool = False) -> list[QueueEntry]:
    """Return these comments, in this order, without deleted ones."""
    rows = {row.id: row for row in session.execute(_columns(whole=whole).where(Comment.id.in_(ids)))}
    rulings = _last_rulings(session, ids)
    standing = {row.id: row.reports for row in rows.values() if row.reports}
    complaints = _complaints(session, standing, COMPLAINTS_IN_FULL if whole else COMPLAINTS)
    since = _reported_since(session, list(standing))
    waiting = queue_edits.waiting_texts(session, [*rows])
    edited = [row.id for row in rows.values() if row.edited_at]
    by_authors = queue_edits.edited_by_authors(session, edited) if edited else set()
    return [
        replace(
            _entry(rows[one], rulings.get(one), complaints.get(one, []), since.get(one)),
            waiting=waiting.get(one),
            edited_by_author=one in by_authors,
        )
        for one in ids
        if one in rows
    ]


def sources(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, TextFormat]]:
    """Return what was written, and in which format, by comment."""
    query = select(Comment.id, Comment.source, Comment.format).where(Comment.id.in_(ids))
    return {row.id: (row.source, row.format) for row in session.execute(query)}


def decisions_on(session: Session, comment_id: int, *, limit: int) -> list[DecisionSummary]:
    """Return the decisions on a comment, the latest first."""
    query = _rulings().where(Decision.comment_id == comment_id).order_by(Decision.id.desc()).limit(limit)
    return [_ruling(row) for row in session.execute(query)]


def _columns(*, whole: bool = False) -> Any:
    parent, answered = aliased(Comment), aliased(Commenter)
    html: Any = Comment.html if whole else comment_excerpts.html_in_list()
    return (
        select(
            Comment.id,
            Comment.site_id,
            Comment.thread_id,
            Comment.reports,
            Comment.ups,
            Comment.downs,
            Comment.network_hash.is_not(None).label("has_network"),
            Comment.status,
            Comment.kind,
            Comment.role,
            Comment.commenter_id,
            Comment.guest_name,
            Comment.guest_email,
            Comment.guest_website,
            Comment.proved,
            Comment.created_at,
            Comment.edited_at,
            Comment.erased_at,
            Comment.parent_id,
            html.label("html"),
            comment_excerpts.excerpt().label("excerpt"),
            func.length(Comment.source).label("length"),
            Thread.title,
            Thread.url,
            Commenter.name.label("commenter_name"),
            Commenter.website.label("commenter_website"),
            func.coalesce(answered.name, parent.guest_name).label("parent_name"),
        )
        .join(Thread, Thread.id == Comment.thread_id)
        .outerjoin(Commenter, Commenter.id == Comment.commenter_id)
        .outerjoin(parent, parent.id == Comment.parent_id)
        .outerjoin(answered, answered.id == parent.commenter_id)
    )


def _entry(
    row: Row[Any], ruling: DecisionSummary | None, complaints: list[ReportSummary], since: datetime | None
) -> QueueEntry:
    html: str | None = row.html
    return QueueEntry(
        id=row.id,
        site_id=row.site_id,
        thread_id=row.thread_id,
        status=row.status,
        kind=row.kind,
        role=row.role,
        name=row.commenter_name or row.guest_name or ANONYMOUS,
        author=AuthorRef.read(row.commenter_id, row.guest_email, row.guest_name),
        email=row.guest_email,
        is_proved=row.proved and row.guest_email is not None,
        website=row.commenter_website or row.guest_website,
        is_guest=row.commenter_id is None,
        has_network=row.has_network,
        created_at=row.created_at,
        edited_at=row.edited_at,
        html=None if html is None else markup.trusted(html),
        excerpt=row.excerpt,
        length=row.length,
        long=html is not None and (len(html) > _LONG or len(_TALL.findall(html)) > _LINES),
        is_placeholder=row.commenter_id is None and row.excerpt == comment_text.DELETED,
        title=row.title,
        url=row.url,
        parent_id=row.parent_id,
        parent_name=(row.parent_name or ANONYMOUS) if row.parent_id else None,
        decision=ruling,
        ups=row.ups,
        downs=row.downs,
        reports=row.reports,
        report_summaries=complaints,
        reported_since=since,
        waiting=None,
        edited_by_author=False,
        was_erased=row.erased_at is not None,
    )


def _complaints(session: Session, standing: Mapping[int, int], most: int) -> dict[int, list[ReportSummary]]:
    """Return the latest reports of each comment, at most its number of standing ones: there may be thousands."""
    if not standing:
        return {}
    columns = (Report.id, Report.comment_id, Report.reason, Report.note, Report.created_at)
    latest = [
        select(*columns)
        .where(Report.comment_id == one)
        .order_by(Report.id.desc())
        .limit(min(most, number))
        .subquery()
        for one, number in standing.items()
    ]
    summaries: dict[int, list[ReportSummary]] = {}
    for row in session.execute(union_all(*(select(part) for part in latest))):
        summaries.setdefault(row.comment_id, []).append(ReportSummary(row.reason, row.note, row.created_at))
    return summaries


def _reported_since(session: Session, ids: Sequence[int]) -> dict[int, datetime]:
    if not ids:
        return {}
    query = select(Report.comment_id, func.min(Report.created_at)).where(Report.comment_id.in_(ids))
    return {row[0]: row[1] for row in session.execute(query.group_by(Report.comment_id))}


def _last_rulings(session: Session, comment_ids: Sequence[int]) -> dict[int, DecisionSummary]:
    last = (
        select(func.max(Decision.id))
        .where(Decision.comment_id.in_(comment_ids))
        .group_by(Decision.comment_id)
    )
    return {row.comment_id: _ruling(row) for row in session.execute(_rulings().where(Decision.id.in_(last)))}


def _rulings() -> Any:
    return select(
        Decision.comment_id,
        Decision.status,
        Decision.reasons,
        Decision.created_at,
        Decision.moderator_id,
        Commenter.name.label("moderator"),
    ).outerjoin(Commenter, Commenter.id == Decision.moderator_id)


def _ruling(row: Row[Any]) -> DecisionSummary:
    decisive = [reason for reason in row.reasons or [] if reason.get("status") == row.status.value]
    reasons = [
        stored_reasons.translated(text) for reason in decisive if (text := str(reason.get("reason") or ""))
    ]
    checks = [str(reason["check"]) for reason in decisive if reason.get("check")]
    return DecisionSummary(row.status, row.created_at, row.moderator, reasons, checks)
