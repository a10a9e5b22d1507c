"""Decides on a comment: sets its status and visibility, keeps the counts and writes the log."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from commentsvc.domain.spam import training
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads import threads, visibility
from commentsvc.domain.threads.visibility import ThreadCounts
from commentsvc.models import Comment, Decision, Kind, Status


def decide(
    session: Session,
    comment: Comment,
    status: Status,
    *,
    verdicts: Sequence[Verdict] = (),
    moderator_id: int | None = None,
    action_id: int | None = None,
    teaches: bool = True,
) -> None:
    """Give `comment` a status, log why, and update what readers see.

    `action_id` is the Action that this decision belongs to. The local filter learns a moderator's decision, unless
    `teaches` is false, as when a decision is undone. Needs `begin_write`; the caller commits. The same status again is
    logged but changes nothing else.
    """
    threads.lock_of(session, comment, "status", "shown", "learned")
    before, comment.status = comment.status, status
    is_new = action_id is None and not _was_decided(session, comment.id)
    session.add(
        Decision(
            comment_id=comment.id,
            moderator_id=moderator_id,
            status=status,
            before=None if is_new else before,
            action_id=action_id,
            learned=comment.learned,
            reasons=[verdict.as_row() for verdict in verdicts],
        )
    )
    if moderator_id is not None and teaches:
        training.follow(session, comment, status)
    if (before is Status.APPROVED) != (status is Status.APPROVED):
        publish(session, comment) if status is Status.APPROVED else withdraw(session, comment)


def publish(session: Session, comment: Comment) -> None:
    """Show an approved comment and count it; hidden ancestors become placeholders."""
    comment.shown = True
    session.flush()
    parents = [] if comment.parent_id is None else [comment.parent_id]
    visibility.publish(session, comment.thread_id, _counts(comment), parents=parents)


def withdraw(session: Session, comment: Comment) -> None:
    """Hide a comment; with visible replies it stays as a placeholder."""
    session.flush()
    visibility.withdraw(session, comment.thread_id, _counts(comment))
    at: Comment | None = comment
    while at is not None and at.status is not Status.APPROVED:
        at.shown = bool(
            session.scalar(select(exists().where(Comment.parent_id == at.id, Comment.shown.is_(True))))
        )
        if at.shown:
            return
        session.flush()
        at = _parent(session, at)


def _was_decided(session: Session, comment_id: int) -> bool:
    return bool(session.scalar(select(exists().where(Decision.comment_id == comment_id))))


def _parent(session: Session, comment: Comment) -> Comment | None:
    """Return the parent of `comment`, read again under the thread's lock."""
    if comment.parent_id is None:
        return None
    return session.get(Comment, comment.parent_id, populate_existing=True)


def _counts(comment: Comment) -> ThreadCounts:
    replies = {} if comment.root_id is None else {comment.root_id: 1}
    return ThreadCounts(1 if comment.kind is Kind.COMMENT else 0, replies)
