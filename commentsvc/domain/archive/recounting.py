"""Counts the comments of threads again after an archive's comments were stored in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session, aliased

from commentsvc.db.rows import change_rows
from commentsvc.models import Comment, Kind, Status, Thread

BATCH = 200
"""Threads that one statement counts."""


def recount(session: Session, thread_ids: Iterable[int]) -> None:
    """Set what readers see of threads: who has shown replies, and how many comments there are. Needs `begin_write`."""
    ids = sorted(thread_ids)
    for some in (ids[start : start + BATCH] for start in range(0, len(ids), BATCH)):
        _show_ancestors(session, some)
        _count(session, some)


def _show_ancestors(session: Session, thread_ids: Sequence[int]) -> None:
    """Show, as placeholders, hidden comments that have shown replies at any depth."""
    reply = aliased(Comment)
    hidden = (
        Comment.thread_id.in_(thread_ids),
        Comment.shown.is_(False),
        exists().where(reply.parent_id == Comment.id, reply.shown),
    )
    while change_rows(session, update(Comment).where(*hidden).values(shown=True)):
        pass


def _count(session: Session, thread_ids: Sequence[int]) -> None:
    reply = aliased(Comment)
    replies = (
        select(func.count())
        .where(reply.root_id == Comment.id, reply.status == Status.APPROVED)
        .scalar_subquery()
    )
    roots = (Comment.thread_id.in_(thread_ids), Comment.root_id.is_(None))
    change_rows(session, update(Comment).where(*roots).values(reply_count=replies))
    comments = (
        select(func.count())
        .where(
            Comment.thread_id == Thread.id, Comment.status == Status.APPROVED, Comment.kind == Kind.COMMENT
        )
        .scalar_subquery()
    )
    # `imported`: old links to the comments have the numbers of the other database.
    counted = {"approved_count": comments, "version": Thread.version + 1, "imported": True}
    change_rows(session, update(Thread).where(Thread.id.in_(thread_ids)).values(counted))
