"""Shows and hides comments and keeps the counts: one rule for posts, decisions and imports."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session, aliased

from commentsvc.db.session import Base
from commentsvc.domain.notifications import notices
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Status

_COMMENT = Base.metadata.tables["comment"]
_COUNT_REPLIES = (
    update(_COMMENT)
    .where(_COMMENT.c.id == bindparam("root"))
    .values(reply_count=_COMMENT.c.reply_count + bindparam("more"))
)


@dataclass(frozen=True, slots=True)
class ThreadCounts:
    """What comments of one thread add to its counts while they are approved."""

    comments: int
    """For the thread's count."""
    replies: Mapping[int, int]
    """For each root's reply count, by the root's id."""
    changes: int = 1
    """Number of comments, including pingbacks, which the thread does not count."""


def publish(
    session: Session,
    thread_id: int,
    counts: ThreadCounts,
    *,
    announced: Collection[int] = (),
    parents: Collection[int] = (),
    asks_title: bool = True,
) -> int:
    """Count approved comments, whose rows are already `shown`; return the thread's count. Needs the thread's lock.

    Subscribers get mail about the comments in `announced`, only once. Hidden ancestors, from `parents` up, become
    placeholders. `asks_title` as in `mark_changed`.
    """
    count = threads.mark_changed(
        session, thread_id, approved=counts.comments, changes=counts.changes, asks_title=asks_title
    )
    _count_replies(session, counts.replies)
    _show_ancestors(session, parents)
    notices.record(session, announced)
    return count


def hide(session: Session, comment_ids: Collection[int], parents: Collection[int]) -> None:
    """Hide comments that are not approved any more, of any threads; needs their locks.

    Comments with shown replies stay as placeholders. `parents` are the comments that these answer; placeholders among
    them that have no other shown reply are hidden too.
    """
    session.execute(update(Comment).where(Comment.id.in_(comment_ids)).values(shown=False))
    replies = select(Comment.parent_id).where(Comment.parent_id.in_(comment_ids), Comment.shown.is_(True))
    _show_ancestors(session, {parent for parent in session.scalars(replies) if parent is not None})
    reply = aliased(Comment)
    has_reply = exists().where(reply.parent_id == Comment.id, reply.shown.is_(True))
    while parents:
        empty = select(Comment.id, Comment.parent_id).where(
            Comment.id.in_(parents), Comment.shown.is_(True), Comment.status != Status.APPROVED, ~has_reply
        )
        rows = session.execute(empty).all()
        if rows:
            ids = [row.id for row in rows]
            session.execute(update(Comment).where(Comment.id.in_(ids)).values(shown=False))
        parents = {row.parent_id for row in rows if row.parent_id is not None}


def withdraw(session: Session, thread_id: int, counts: ThreadCounts) -> None:
    """Subtract published comments from the counts. Needs the thread's lock."""
    threads.mark_changed(session, thread_id, approved=-counts.comments, changes=counts.changes)
    _count_replies(session, {root: -number for root, number in counts.replies.items()})


def _count_replies(session: Session, replies: Mapping[int, int]) -> None:
    if replies:
        session.execute(_COUNT_REPLIES, [{"root": root, "more": number} for root, number in replies.items()])


def _show_ancestors(session: Session, parents: Collection[int]) -> None:
    """Show hidden ancestors, level by level, up to the first that is shown."""
    while parents:
        above = select(Comment.id, Comment.parent_id).where(Comment.id.in_(parents))
        hidden = session.execute(above.where(Comment.shown.is_(False))).all()
        if hidden:
            ids = [row.id for row in hidden]
            session.execute(update(Comment).where(Comment.id.in_(ids)).values(shown=True))
        parents = {row.parent_id for row in hidden if row.parent_id is not None}
