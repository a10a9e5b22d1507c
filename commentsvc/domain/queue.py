"""What a moderator sees: a site's comments by status, and why each of them stands where it does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session, aliased

from commentsvc.adapters import markup
from commentsvc.domain.reading import ANONYMOUS
from commentsvc.errors import NotFoundError
from commentsvc.models import Comment, Commenter, Decision, Kind, Role, Status, Thread

PAGE = 25
COUNTED = 1000
"""Where counting stops: a million comments of spam must not slow the page down."""
LARGEST_HTML = 20_000
"""Characters of one comment that a list shows as they are; of a larger one it shows the beginning of its source."""
EXCERPT = 2_000
HISTORY = 50
_TALL = re.compile(r"<(?:br|p|li|pre)\b|\n")
_LONG, _LINES = 1200, 12


@dataclass(frozen=True, slots=True)
class Ruling:
    """A Decision in words."""

    status: Status
    at: datetime
    moderator: str | None
    reasons: list[str]
    """Of the checks that asked for this status."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A comment with all that a moderator may know of it."""

    id: int
    site_id: int
    status: Status
    kind: Kind
    role: Role | None
    name: str
    email: str | None
    website: str | None
    is_guest: bool
    created_at: datetime
    edited_at: datetime | None
    html: markup.SafeHtml | None
    """None where it is too large for a list; `excerpt` stands in."""
    excerpt: str
    length: int
    """Characters of the source."""
    long: bool
    title: str | None
    url: str
    parent_id: int | None
    parent_name: str | None
    ruling: Ruling | None


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of a list, newest first."""

    entries: list[Entry]
    next_after: int | None
    """Where the next page begins; None on the last one."""


def page(session: Session, site_id: int, status: Status, *, after: int | None = None) -> QueuePage:
    """Return a site's comments of one status, those with ids below `after`."""
    query = _columns().where(Comment.site_id == site_id, Comment.status == status)
    if after is not None:
        query = query.where(Comment.id < after)
    rows = session.execute(query.order_by(Comment.id.desc()).limit(PAGE + 1)).all()
    shown = rows[:PAGE]
    rulings = _last_rulings(session, [row.id for row in shown])
    return QueuePage(
        entries=[_entry(row, rulings.get(row.id)) for row in shown],
        next_after=shown[-1].id if len(rows) > PAGE else None,
    )


def counts(session: Session, site_id: int) -> dict[Status, int]:
    """Return how many comments a site has in each status, `COUNTED` for so many or more."""

    def of(status: Status) -> Any:
        some = select(Comment.id).where(Comment.site_id == site_id, Comment.status == status).limit(COUNTED)
        return select(func.count()).select_from(some.subquery()).scalar_subquery()

    row = session.execute(select(*(of(status) for status in Status))).one()
    return dict(zip(Status, row, strict=True))


def one(session: Session, comment_id: int) -> Entry:
    """Return a single comment, whatever its size; raises NotFoundError."""
    row = session.execute(_columns(whole=True).where(Comment.id == comment_id)).first()
    if row is None:
        raise NotFoundError("This comment is no longer there.")
    return _entry(row, _last_rulings(session, [comment_id]).get(comment_id))


def history(session: Session, comment_id: int) -> list[Ruling]:
    """Return the decisions on a comment, the latest first."""
    query = _rulings().where(Decision.comment_id == comment_id).order_by(Decision.id.desc()).limit(HISTORY)
    return [_ruling(row) for row in session.execute(query)]


def status_before_removal(session: Session, comment_id: int) -> Status:
    """Return what a comment was before it became spam or trash; held, where it never was anything else."""
    found = session.scalar(
        select(Decision.status)
        .where(Decision.comment_id == comment_id, Decision.status.in_([Status.APPROVED, Status.HELD]))
        .order_by(Decision.id.desc())
        .limit(1)
    )
    return found or Status.HELD


def _columns(*, whole: bool = False) -> Any:
    parent, answered = aliased(Comment), aliased(Commenter)
    html: Any = Comment.html
    if not whole:
        html = case((func.length(Comment.html) <= LARGEST_HTML, Comment.html), else_=None)
    return (
        select(
            Comment.id,
            Comment.site_id,
            Comment.status,
            Comment.kind,
            Comment.role,
            Comment.commenter_id,
            Comment.guest_name,
            Comment.guest_email,
            Comment.guest_website,
            Comment.created_at,
            Comment.edited_at,
            Comment.parent_id,
            html.label("html"),
            func.substr(Comment.source, 1, EXCERPT).label("excerpt"),
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


def _entry(row: Row[Any], ruling: Ruling | None) -> Entry:
    html: str | None = row.html
    return Entry(
        id=row.id,
        site_id=row.site_id,
        status=row.status,
        kind=row.kind,
        role=row.role,
        name=row.commenter_name or row.guest_name or ANONYMOUS,
        email=row.guest_email,
        website=row.commenter_website or row.guest_website,
        is_guest=row.commenter_id is None,
        created_at=row.created_at,
        edited_at=row.edited_at,
        html=None if html is None else markup.trusted(html),
        excerpt=row.excerpt,
        length=row.length,
        long=html is not None and (len(html) > _LONG or len(_TALL.findall(html)) > _LINES),
        title=row.title,
        url=row.url,
        parent_id=row.parent_id,
        parent_name=(row.parent_name or ANONYMOUS) if row.parent_id else None,
        ruling=ruling,
    )


def _last_rulings(session: Session, comment_ids: Sequence[int]) -> dict[int, Ruling]:
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


def _ruling(row: Row[Any]) -> Ruling:
    reasons = [
        str(reason.get("reason", ""))
        for reason in row.reasons or []
        if reason.get("status") == row.status.value
    ]
    return Ruling(row.status, row.created_at, row.moderator, [reason for reason in reasons if reason])
