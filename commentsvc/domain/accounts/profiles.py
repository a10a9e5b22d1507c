"""What people can see and change about themselves: their comments, name and picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain import comment_excerpts, fields
from commentsvc.domain.threads import threads, titles
from commentsvc.errors import InvalidFieldsError
from commentsvc.languages import LANGUAGES
from commentsvc.messages import gettext
from commentsvc.models import Comment, Commenter, Site, Status, Thread
from commentsvc.text import markup

PAGE = 25


@dataclass(frozen=True, slots=True)
class OwnComment:
    """One of a person's comments, on any site."""

    id: int
    site: str
    title: str | None
    url: str
    """The article's URL."""
    status: Status
    created_at: datetime
    edited_at: datetime | None
    html: markup.SafeHtml | None
    """None if it is too large for a list, which then shows `excerpt`."""
    excerpt: str


@dataclass(frozen=True, slots=True)
class OwnCommentsPage:
    """A page of a person's comments, the newest first."""

    entries: Sequence[OwnComment]
    next_after: int | None
    """The cursor of the next page; None on the last one."""


def own_comments(session: Session, commenter_id: int, *, after: int | None = None) -> OwnCommentsPage:
    """Return a page of a person's comments on all sites, with ids below `after`."""
    query = _columns().where(Comment.commenter_id == commenter_id)
    if after is not None:
        query = query.where(Comment.id < after)
    rows = session.execute(query.order_by(Comment.id.desc()).limit(PAGE + 1)).all()
    shown = rows[:PAGE]
    return OwnCommentsPage([_written(row) for row in shown], shown[-1].id if len(rows) > PAGE else None)


def rename(session: Session, commenter_id: int, typed: str) -> None:
    """Change a person's name. Needs `begin_write`; raises InvalidFieldsError on `name`."""
    name = fields.name(typed)
    commenter = session.get_one(Commenter, commenter_id)
    if commenter.name != name:
        commenter.name = name
        session.flush()
        invalidate_pages_of(session, commenter_id)


def show_picture(session: Session, commenter_id: int, shown: bool) -> None:
    """Show a person's picture beside their comments, or their initials. Needs `begin_write`."""
    commenter = session.get_one(Commenter, commenter_id)
    if commenter.show_picture != shown:
        commenter.show_picture = shown
        session.flush()
        invalidate_pages_of(session, commenter_id)


def choose_language(session: Session, commenter_id: int, code: str) -> None:
    """Store in which of our languages a person reads their own pages; empty: as their browser asks.

    Needs `begin_write`; raises InvalidFieldsError on `language`.
    """
    if code and code not in LANGUAGES:
        raise InvalidFieldsError({"language": gettext("Please choose one of these languages")})
    session.get_one(Commenter, commenter_id).language = code or None


def invalidate_pages_of(session: Session, commenter_id: int) -> None:
    """Invalidate all cached pages with a person's comments, because these look different now."""
    theirs = select(Comment.thread_id).where(Comment.commenter_id == commenter_id)
    threads.lock_all(session, session.scalars(theirs.distinct()))
    change_rows(session, update(Thread).where(Thread.id.in_(theirs)).values(version=Thread.version + 1))


def _columns() -> Any:
    return (
        select(
            Comment.id,
            Comment.status,
            Comment.created_at,
            Comment.edited_at,
            comment_excerpts.html_in_list().label("html"),
            comment_excerpts.excerpt().label("excerpt"),
            titles.public_title().label("title"),
            Thread.url,
            Site.name.label("site"),
        )
        .join(Thread, Thread.id == Comment.thread_id)
        .join(Site, Site.id == Comment.site_id)
    )


def _written(row: Row[Any]) -> OwnComment:
    return OwnComment(
        id=row.id,
        site=row.site,
        title=row.title,
        url=row.url,
        status=row.status,
        created_at=row.created_at,
        edited_at=row.edited_at,
        html=None if row.html is None else markup.trusted(row.html),
        excerpt=row.excerpt,
    )
