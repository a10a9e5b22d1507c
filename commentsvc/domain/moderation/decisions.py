"""Decides on a comment: sets its status and visibility, keeps the counts and writes the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import exists, insert, select
from sqlalchemy.orm import Session

from commentsvc.domain.notifications import events
from commentsvc.domain.spam import training
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads import threads, visibility
from commentsvc.domain.threads.visibility import ThreadCounts
from commentsvc.models import Comment, Decision, Event, Kind, Status


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
    is_new = action_id is None and not _was_decided(session, comment.id)
    row = _row(comment, status, moderator_id, action_id)
    row |= {"before": None} if is_new else {}
    session.add(Decision(**row, reasons=[verdict.as_row() for verdict in verdicts]))
    _apply(session, {comment: status}, teaches=teaches and moderator_id is not None)


def decide_all(
    session: Session,
    statuses: Mapping[Comment, Status],
    *,
    moderator_id: int | None,
    action_id: int,
    teaches: bool = True,
) -> None:
    """Decide on several comments of one site as `decide` does on one, in a few statements.

    The caller has locked their threads, and read the comments after that.
    """
    rows = [_row(comment, status, moderator_id, action_id) for comment, status in statuses.items()]
    session.execute(insert(Decision), rows)
    _apply(session, statuses, teaches=teaches)


def _row(comment: Comment, status: Status, moderator_id: int | None, action_id: int | None) -> dict[str, Any]:
    """Return the values of a Decision."""
    return {
        "comment_id": comment.id,
        "moderator_id": moderator_id,
        "status": status,
        "before": comment.status,
        "action_id": action_id,
        "learned": comment.learned,
    }


def _apply(session: Session, statuses: Mapping[Comment, Status], *, teaches: bool) -> None:
    """Set statuses, and everything that follows from them."""
    were_approved = {comment for comment in statuses if comment.status is Status.APPROVED}
    are_approved = {comment for comment, status in statuses.items() if status is Status.APPROVED}
    for comment, status in statuses.items():
        comment.status = status
    if teaches:
        training.follow(session, next(iter(statuses)).site_id, statuses)
    publish(session, are_approved - were_approved)
    withdraw(session, were_approved - are_approved)


def publish(session: Session, comments: Collection[Comment]) -> None:
    """Show approved comments and count them; hidden ancestors become placeholders."""
    for comment in comments:
        comment.shown = True
    session.flush()
    for thread_id, those in _by_thread(comments):
        parents = {comment.parent_id for comment in those if comment.parent_id is not None}
        ids = [comment.id for comment in those]
        visibility.publish(session, thread_id, _counts(those), announced=ids, parents=parents)
    events.record(session, Event.PUBLISHED, [comment.id for comment in comments])


def withdraw(session: Session, comments: Collection[Comment]) -> None:
    """Hide comments; one with visible replies stays as a placeholder."""
    if not comments:
        return
    session.flush()
    for thread_id, those in _by_thread(comments):
        visibility.withdraw(session, thread_id, _counts(those))
    parents = {comment.parent_id for comment in comments if comment.parent_id is not None}
    ids = [comment.id for comment in comments]
    visibility.hide(session, ids, parents)
    events.record(session, Event.REMOVED, ids)


def _by_thread(comments: Collection[Comment]) -> list[tuple[int, list[Comment]]]:
    """Return the comments of each thread, in the order in which threads are locked."""
    of_thread: dict[int, list[Comment]] = {}
    for comment in comments:
        of_thread.setdefault(comment.thread_id, []).append(comment)
    return sorted(of_thread.items())


def _was_decided(session: Session, comment_id: int) -> bool:
    return bool(session.scalar(select(exists().where(Decision.comment_id == comment_id))))


def _counts(comments: Sequence[Comment]) -> ThreadCounts:
    """Return what comments of one thread add to its counts."""
    return ThreadCounts(
        sum(comment.kind is Kind.COMMENT for comment in comments),
        Counter(comment.root_id for comment in comments if comment.root_id is not None),
        len(comments),
    )
