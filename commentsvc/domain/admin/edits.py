"""Moderators' edits of comments: each is an action that can be undone while the former text is stored."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain import actions
from commentsvc.domain.comments import comment_text, editing
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.fields import Guest
from commentsvc.domain.threads import threads
from commentsvc.models import Action, Comment, Revision

KIND = "comments.edit"
KEPT = timedelta(days=30)
"""Moderators often edit to remove private or illegal text, so the former text is not kept for ever."""
_GONE = "The former text is no longer stored, so it cannot be restored."
_CHANGED = "Somebody has changed this comment since, so its text stays as it is."


def edit(
    session: Session,
    comment: Comment,
    draft: CommentText,
    *,
    guest: Guest | None,
    moderator_id: int | None,
    at: datetime,
) -> Action:
    """Change a text, and a guest's details if given, and store the former ones. Needs `begin_write`."""
    threads.lock_of(session, comment)
    session.refresh(comment)
    action = actions.record(
        session,
        site_id=comment.site_id,
        moderator_id=moderator_id,
        kind=KIND,
        summary="Edited a comment.",
        at=at,
        facts={"comment": comment.id, "edit": comment.id},
    )
    _store_revision(session, comment, action.id, edited_after=at, at=at)
    editing.edit(session, comment, draft, at=at, guest=guest, moderator_id=moderator_id, action_id=action.id)
    return action


def obstacle(session: Session, action: Action) -> str | None:
    """Return why the text that an action changed cannot be restored, or None. Locks its thread."""
    edit_or_obstacle = _edit_of(session, action)
    return edit_or_obstacle if isinstance(edit_or_obstacle, str) else None


def restore(session: Session, action: Action, *, undo_id: int, at: datetime) -> bool:
    """Restore the text that an action changed, as part of the action `undo_id`; needs `begin_write`.

    Returns False if there is an obstacle.
    """
    edit_or_obstacle = _edit_of(session, action)
    if isinstance(edit_or_obstacle, str):
        return False
    revision, comment = edit_or_obstacle
    _store_revision(session, comment, undo_id, edited_after=revision.edited_before, at=at)
    former = CommentText(
        revision.source,
        revision.format,
        comment_text.render(revision.source, revision.format),
        comment_text.digest_of(revision.source),
    )
    guest = Guest(revision.guest_name, revision.guest_email, revision.guest_website)
    editing.replace(session, comment, former, guest=guest, edited_at=revision.edited_before)
    return True


def tidy(session: Session, *, at: datetime) -> None:
    """Delete former texts after `KEPT`. Commits."""
    old = Revision.created_at < at - KEPT
    if session.scalar(select(exists().where(old))):
        begin_write(session)
        session.execute(delete(Revision).where(old).execution_options(synchronize_session=False))
        session.commit()
    session.rollback()


def forget(session: Session, comment_ids: Collection[int]) -> None:
    """Delete all former texts of these comments. Needs `begin_write`."""
    session.execute(
        delete(Revision)
        .where(Revision.comment_id.in_(comment_ids))
        .execution_options(synchronize_session=False)
    )


def _edit_of(session: Session, action: Action) -> tuple[Revision, Comment] | str:
    revision = session.scalar(select(Revision).where(Revision.action_id == action.id))
    if revision is None:
        return _GONE
    comment = session.get_one(Comment, revision.comment_id)
    threads.lock_of(session, comment)
    session.refresh(comment)
    if comment.site_id != action.site_id or comment.edited_at != revision.edited_after:
        return _CHANGED
    return revision, comment


def _store_revision(
    session: Session, comment: Comment, action_id: int, *, edited_after: datetime | None, at: datetime
) -> None:
    session.add(
        Revision(
            comment_id=comment.id,
            action_id=action_id,
            format=comment.format,
            source=comment.source,
            guest_name=comment.guest_name,
            guest_email=comment.guest_email,
            guest_website=comment.guest_website,
            edited_before=comment.edited_at,
            edited_after=edited_after,
            created_at=at,
        )
    )
    session.flush()
