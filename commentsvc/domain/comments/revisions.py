"""The former texts of edited comments, which moderators can read and restore for a while."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.models import Comment, PendingEdit, Revision


def store(
    session: Session, comment: Comment, action_id: int, *, edited_after: datetime | None, at: datetime
) -> None:
    """Store a comment as it is before an edit, which belongs to the Action `action_id`. Needs `begin_write`.

    `edited_after` is the comment's `edited_at` after the edit.
    """
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


def forget(session: Session, comment_ids: Collection[int] | Any) -> None:
    """Delete all former and waiting texts of these comments, given by ids or a query. Needs `begin_write`."""
    for table in (Revision, PendingEdit):
        theirs = delete(table).where(table.comment_id.in_(comment_ids))
        change_rows(session, theirs)
