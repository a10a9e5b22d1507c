"""Moderators' replies: one action together with the approval of what they reply to, and undone with it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comments
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.comments.comments import NewComment
from commentsvc.domain.moderation import decisions
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Action, Comment, Decision, Kind, Role, Site, Status

KIND = "comments.reply"
_ANSWERED = gettext_noop("Somebody has answered the reply since, so both stay as they are.")


def require_answerable(comment: Comment) -> None:
    """Raise NotFoundError for a comment that nobody replies to."""
    if comment.status in {Status.SPAM, Status.TRASH} or comment.kind is not Kind.COMMENT:
        raise NotFoundError(
            gettext("This comment cannot be replied to: it is spam, in the trash, or not a comment.")
        )


def post(
    session: Session,
    site: Site,
    comment: Comment,
    draft: CommentText,
    *,
    approve: bool,
    moderator_id: int,
    role: Role,
    at: datetime,
) -> tuple[Comment, Action]:
    """Reply to a comment, and with `approve` approve it if it is held. Needs `begin_write`.

    Raises as `comments.post` does.
    """
    threads.lock_of(session, comment)
    session.refresh(comment)
    action = actions.record(
        session,
        site_id=site.id,
        moderator_id=moderator_id,
        kind=KIND,
        summary="Replied to a comment.",
        at=at,
    )
    if approve and comment.status is Status.HELD:
        decisions.decide(session, comment, Status.APPROVED, moderator_id=moderator_id, action_id=action.id)
        action.summary = "Approved a comment and replied to it."
    thread = comment.thread
    posted = comments.post(
        session,
        ThreadAddress(site, thread.key, thread.url),
        NewComment(draft, parent_id=comment.id),
        Author(commenter_id=moderator_id, role=role),
        at=at,
    )
    answer = session.get_one(Comment, posted.id)
    # The reply's first decision belongs to the action too, so that undoing finds the reply.
    session.scalars(select(Decision).where(Decision.comment_id == answer.id)).one().action_id = action.id
    action.facts = {**action.facts, "comment": comment.id, "reply": answer.id}
    session.flush()
    return answer, action


def obstacle(session: Session, action: Action) -> str | None:
    """Return why a reply cannot be removed; None if it can, or is already removed. Locks its thread."""
    answer = session.get(Comment, action.facts["reply"])
    if answer is None:
        return None
    threads.lock_of(session, answer)
    session.refresh(answer)
    if answer.status in {Status.TRASH, Status.SPAM}:
        return None
    replies = exists().where(
        Comment.parent_id == answer.id, Comment.status.in_([Status.APPROVED, Status.HELD])
    )
    return gettext(_ANSWERED) if session.scalar(select(replies)) else None
