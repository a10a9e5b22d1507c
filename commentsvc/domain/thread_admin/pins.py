"""Pins comments above a thread, or features them in their place."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.domain.thread_admin.thread_controls import name_of
from commentsvc.domain.threads import threads
from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext
from commentsvc.models import Comment, Kind, Status

MOST = 3
"""Pinned comments per thread."""


def pin(session: Session, comment: Comment, *, moderator_id: int | None, at: datetime) -> None:
    """Show a comment above all others. Needs `begin_write`; the caller commits.

    Raises InvalidFieldsError on `mark` for a reply, for a comment that readers cannot see, and above `MOST`.
    """
    _require_seen(comment)
    if comment.root_id is not None:
        raise InvalidFieldsError({"mark": gettext("A reply cannot be pinned; it stays below its parent.")})
    threads.lock_of(session, comment)
    pinned = session.scalar(
        select(func.count()).where(
            Comment.thread_id == comment.thread_id, Comment.pinned, Comment.id != comment.id
        )
    )
    if (pinned or 0) >= MOST:
        raise InvalidFieldsError(
            {
                "mark": gettext("%(number)s comments are already pinned in this thread; unpin one first.")
                % {"number": MOST}
            }
        )
    _mark(session, comment, "pinned", on=True, moderator_id=moderator_id, at=at)


def unpin(session: Session, comment: Comment, *, moderator_id: int | None, at: datetime) -> None:
    """Return a comment to its place. Needs `begin_write`; the caller commits."""
    _mark(session, comment, "pinned", on=False, moderator_id=moderator_id, at=at)


def feature(session: Session, comment: Comment, *, moderator_id: int | None, at: datetime) -> None:
    """Mark a comment as worth reading. Needs `begin_write`; the caller commits.

    Raises InvalidFieldsError on `mark` for a comment that readers cannot see.
    """
    _require_seen(comment)
    _mark(session, comment, "featured", on=True, moderator_id=moderator_id, at=at)


def unfeature(session: Session, comment: Comment, *, moderator_id: int | None, at: datetime) -> None:
    """Remove the mark. Needs `begin_write`; the caller commits."""
    _mark(session, comment, "featured", on=False, moderator_id=moderator_id, at=at)


_KINDS = {
    ("pinned", True): ("comment.pin", "Pinned"),
    ("pinned", False): ("comment.unpin", "Unpinned"),
    ("featured", True): ("comment.feature", "Featured"),
    ("featured", False): ("comment.unfeature", "No longer featured:"),
}


def _require_seen(comment: Comment) -> None:
    if comment.status is not Status.APPROVED or comment.kind is not Kind.COMMENT:
        raise InvalidFieldsError(
            {"mark": gettext("Only a comment that readers can see can be pinned or featured.")}
        )


def _mark(
    session: Session, comment: Comment, column: str, *, on: bool, moderator_id: int | None, at: datetime
) -> None:
    if getattr(comment, column) is on:
        return
    setattr(comment, column, on)
    session.flush()
    threads.mark_changed(session, comment.thread_id)
    kind, word = _KINDS[column, on]
    actions.record(
        session,
        site_id=comment.site_id,
        moderator_id=moderator_id,
        kind=kind,
        summary=f"{word} comment {comment.id} on {name_of(comment.thread)}.",
        at=at,
        facts={"comment_id": comment.id},
    )
