"""Comments that wait for a moderator, as their author alone may see them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, or_
from sqlalchemy.orm import Session

from commentsvc.domain.reading import queries
from commentsvc.domain.reading.conversations import CommentView
from commentsvc.domain.reading.thread_pages import views_of
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.models import Comment, Status


def own_held(
    session: Session,
    address: ThreadAddress,
    *,
    author_key_hash: str | None = None,
    comment_id: int | None = None,
    commenter_id: int | None = None,
    approved_since: datetime | None = None,
) -> list[CommentView]:
    """Return comments of this thread that only their author may see yet, by any of the proofs given.

    From `approved_since` on with those that all may see, for where a page may be older than they are.
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
    thread = threads.find(session, address) if proofs else None
    if thread is None:
        return []
    query = queries.comments().where(Comment.site_id == address.site.id, or_(*proofs))
    wanted = Comment.status == Status.HELD
    if approved_since is not None:
        wanted = or_(wanted, and_(Comment.status == Status.APPROVED, Comment.created_at >= approved_since))
    query = query.where(Comment.thread_id == thread.id, wanted)
    return views_of(session, query.order_by(Comment.id).limit(20), own=True)
