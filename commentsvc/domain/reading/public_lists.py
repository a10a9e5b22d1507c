"""Plain lists of what everybody may read, for programs: threads, and approved comments with what they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session

from commentsvc.domain.reading import cursors, queries, thread_pages
from commentsvc.domain.reading.conversations import CommentView
from commentsvc.errors import NotFoundError
from commentsvc.models import Comment, Status, Thread

_HERE = tuple_(Comment.created_at, Comment.id)
_GONE = "There is no such comment, or it is not public."
_NO_THREAD = "There is no such thread, or nothing in it is public."


@dataclass(frozen=True, slots=True)
class ListedComment:
    """A comment with the thread it belongs to."""

    view: CommentView
    thread_id: int


@dataclass(frozen=True, slots=True)
class CommentList:
    """A page of a list."""

    comments: list[ListedComment]
    next_after: str | None
    """The cursor of the next page: a time and an id, so that no comment that arrives meanwhile moves it."""


def of_thread(session: Session, thread_id: int, *, after: str | None, limit: int) -> CommentList:
    """Return a thread's approved comments, the oldest first; raises NotFoundError, BadAddressError for the cursor."""
    public_thread(session, thread_id)
    query = select(Comment.id, Comment.thread_id, Comment.created_at).where(Comment.thread_id == thread_id)
    if after is not None:
        query = query.where(cursors.parse(after) < _HERE)
    return _page(session, query.order_by(Comment.created_at, Comment.id), limit)


def of_site(session: Session, site_id: int, *, after: str | None, limit: int) -> CommentList:
    """Return a site's approved comments, the latest first; raises BadAddressError for the cursor."""
    query = select(Comment.id, Comment.thread_id, Comment.created_at).where(Comment.site_id == site_id)
    if after is not None:
        query = query.where(cursors.parse(after) > _HERE)
    return _page(session, query.order_by(Comment.created_at.desc(), Comment.id.desc()), limit)


def one(session: Session, comment_id: int) -> ListedComment:
    """Return an approved comment; raises NotFoundError."""
    query = select(Comment.id, Comment.thread_id, Comment.created_at).where(Comment.id == comment_id)
    comments = _page(session, query, 1).comments
    if not comments:
        raise NotFoundError(_GONE)
    return comments[0]


def threads_of(
    session: Session, site_id: int, *, after: int | None, limit: int
) -> tuple[Sequence[Thread], int | None]:
    """Return a site's threads with approved comments, the latest first, and the cursor of the next page."""
    query = select(Thread).where(Thread.site_id == site_id, _is_public())
    if after is not None:
        query = query.where(Thread.id < after)
    threads = session.scalars(query.order_by(Thread.id.desc()).limit(limit + 1)).all()
    return threads[:limit], threads[limit - 1].id if len(threads) > limit else None


def public_thread(session: Session, thread_id: int) -> Thread:
    """Return a thread; raises NotFoundError while nothing in it is public, which also hides its claimed title."""
    thread = session.scalar(select(Thread).where(Thread.id == thread_id, _is_public()))
    if thread is None:
        raise NotFoundError(_NO_THREAD)
    return thread


def _is_public() -> ColumnElement[bool]:
    return Thread.approved_count > 0


def _page(session: Session, query: Any, limit: int) -> CommentList:
    rows = session.execute(query.where(Comment.status == Status.APPROVED).limit(limit + 1)).all()
    shown = rows[:limit]
    ids = [row.id for row in shown]
    views = {
        view.id: view
        for view in thread_pages.views_of(
            session, queries.comments().where(queries.COMMENT.c.id.in_(ids)).order_by(queries.COMMENT.c.id)
        )
    }
    return CommentList(
        [ListedComment(views[row.id], row.thread_id) for row in shown],
        cursors.format_cursor(shown[-1].created_at, shown[-1].id) if len(rows) > limit else None,
    )
