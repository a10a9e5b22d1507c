"""Whose comment it is, and what its author may do with it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from commentsvc.domain.comments import own_changes
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, PendingEdit, Site, Status, Thread

MOST = 200
"""Comments of one reader in a thread that have buttons, the newest."""
_LONGEST = 10**9
"""Seconds for "always", which a script can add to its clock."""


@dataclass(frozen=True, slots=True)
class OwnCommentState:
    """One of the reader's comments in a thread; its author can always delete it."""

    id: int
    edit_seconds: int
    """How long it can still be edited; 0 if it cannot."""
    waits: bool = False
    """An edit of it waits for a moderator."""


def is_of(comment: Comment, *, commenter_id: int | None, author_key_hash: str | None) -> bool:
    """Whether a comment is this account's or, of a guest, this browser's."""
    if comment.erased_at is not None:
        return False
    if comment.commenter_id is not None:
        return comment.commenter_id == commenter_id
    return author_key_hash is not None and comment.author_key_hash == author_key_hash


def in_thread(
    session: Session,
    site: Site,
    thread: Thread | None,
    *,
    commenter_id: int | None,
    author_key_hash: str | None,
    at: datetime,
) -> list[OwnCommentState]:
    """Return the reader's visible and held comments in a thread, the newest first."""
    if thread is None or (commenter_id is None and author_key_hash is None):
        return []
    query = (
        select(Comment, PendingEdit.comment_id)
        .outerjoin(PendingEdit, PendingEdit.comment_id == Comment.id)
        .where(
            Comment.site_id == site.id,
            Comment.thread_id == thread.id,
            Comment.status.in_([Status.APPROVED, Status.HELD]),
            _are_of(commenter_id, author_key_hash),
        )
        .order_by(Comment.id.desc())
        .limit(MOST)
    )
    is_closed = threads.closed_reason(site, thread, at=at) is not None
    return [
        OwnCommentState(comment.id, 0 if is_closed else edit_seconds(site, comment, at=at), waits is not None)
        for comment, waits in session.execute(query)
    ]


def editable(session: Session, comment_ids: Collection[int], *, at: datetime) -> set[int]:
    """Return which of these comments, on any sites, their authors can still edit."""
    query = (
        select(Comment, Thread, Site)
        .join(Thread, Thread.id == Comment.thread_id)
        .join(Site, Site.id == Comment.site_id)
        .where(Comment.id.in_(comment_ids))
    )
    return {
        comment.id
        for comment, thread, site in session.execute(query)
        if edit_seconds(site, comment, at=at) and threads.closed_reason(site, thread, at=at) is None
    }


def just_posted(site: Site, comment_id: int) -> OwnCommentState:
    """Return a comment that was stored a moment ago."""
    return OwnCommentState(comment_id, _seconds(own_changes.time_to_edit(site)))


def edit_seconds(site: Site, comment: Comment, *, at: datetime) -> int:
    """Return for how many seconds a comment can still be edited in an open thread; 0 if it cannot."""
    until = own_changes.editable_until(site, comment)
    return _seconds(None if until is None else until - at)


def _seconds(time: timedelta | None) -> int:
    return 0 if time is None else max(0, min(_LONGEST, int(time.total_seconds())))


def _are_of(commenter_id: int | None, author_key_hash: str | None) -> ColumnElement[bool]:
    by_browser = and_(Comment.commenter_id.is_(None), Comment.author_key_hash == author_key_hash)
    return or_(
        Comment.commenter_id == commenter_id if commenter_id is not None else false(),
        by_browser if author_key_hash is not None else false(),
    )
