"""Held comments, which only their authors can see."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, or_
from sqlalchemy.orm import Session

from commentsvc.domain.reading import queries
from commentsvc.domain.reading.conversations import CommentView
from commentsvc.domain.reading.thread_pages import views_of
from commentsvc.models import Comment, Status, Thread


def own_held(
    session: Session,
    thread: Thread | None,
    *,
    author_key_hash: str | None = None,
    comment_id: int | None = None,
    commenter_id: int | None = None,
    approved_since: datetime | None = None,
) -> list[CommentView]:
    """Return comments of a thread that only their author can see yet, by any of the given proofs; none without proof.

    With `approved_since` also the author's approved comments since then, because the page may be older.
    """
    proofs = [
        column == proof
        for column, proof in (
            (Comment.author_key_hash, author_key_hash),
            (Comment.id, comment_id),
            (Comment.commenter_id, commenter_id),
        )
        if proof is not None
    ]
    if thread is None or not proofs:
        return []
    query = queries.comments().where(Comment.site_id == thread.site_id, or_(*proofs))
    wanted = Comment.status == Status.HELD
    if approved_since is not None:
        wanted = or_(wanted, and_(Comment.status == Status.APPROVED, Comment.created_at >= approved_since))
    query = query.where(Comment.thread_id == thread.id, wanted)
    return views_of(session, query.order_by(Comment.id).limit(20), own=True)
