"""What an edit by a comment's author is compared with: other comments of theirs, and moderators' edits."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, or_, select
from sqlalchemy.orm import Session

from commentsvc.domain.authors import Author
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.models import Action, Comment, Revision, Status

BY_AUTHOR = "comments.author_edit"
"""The kind of the action of an edit by the author, which moderators can undo."""
PUBLISHED = "comments.publish_edit"
"""The kind of the action of a moderator who published an author's edit."""
AUTHORS_TEXTS = frozenset({BY_AUTHOR, PUBLISHED})


def was_changed_by_moderator(session: Session, comment: Comment) -> bool:
    """Whether a moderator has changed the text within the time that former texts are stored."""
    query = select(Revision.id).join(Action, Action.id == Revision.action_id)
    by_moderator = query.where(
        Revision.comment_id == comment.id, Action.moderator_id.is_not(None), Action.kind != PUBLISHED
    )
    return session.scalar(by_moderator.limit(1)) is not None


def is_repeat(session: Session, comment: Comment, draft: CommentText, author: Author) -> bool:
    """Whether the same author has another comment with this text in the thread."""
    query = select(Comment.id).where(
        Comment.thread_id == comment.thread_id,
        Comment.digest == draft.digest,
        Comment.status != Status.TRASH,
        Comment.id != comment.id,
        _by(author),
    )
    return session.scalar(query.limit(1)) is not None


def _by(author: Author) -> ColumnElement[bool]:
    """Return the condition by which a new comment, too, is compared with earlier ones of its author."""
    if author.commenter_id is not None:
        return Comment.commenter_id == author.commenter_id
    name, email = author.guest.name, author.guest.email
    details = and_(
        Comment.commenter_id.is_(None),
        Comment.guest_name.is_not_distinct_from(name),
        Comment.guest_email.is_not_distinct_from(email),
    )
    if name is None and email is None:  # told apart by their network
        details = and_(details, Comment.network_hash.is_not_distinct_from(author.network_hash))
    key = author.author_key_hash
    return or_(details, Comment.author_key_hash == key if key is not None else false())
