"""Replaces a comment's text."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions
from commentsvc.domain.notifications import events
from commentsvc.domain.spam import training
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Event, Status
from commentsvc.text import markup


def edit(
    session: Session,
    comment: Comment,
    draft: CommentText,
    *,
    at: datetime,
    guest: Guest | None = None,
    moderator_id: int | None = None,
    action_id: int | None = None,
) -> None:
    """Replace a comment's text, and a guest's details if given. Needs `begin_write`; the caller commits.

    `action_id` is the Action that this edit belongs to.
    """
    replace(session, comment, draft, guest=guest, edited_at=at)
    if not draft.rendered.agreed:
        reason = "The two sanitisers disagreed about this text; please read it."
        verdict = Verdict(CheckName.SANITISERS, Status.HELD, reason)
        decisions.decide(
            session,
            comment,
            Status.HELD,
            verdicts=[verdict],
            moderator_id=moderator_id,
            action_id=action_id,
        )


def replace(
    session: Session,
    comment: Comment,
    draft: CommentText,
    *,
    guest: Guest | None,
    edited_at: datetime | None,
    teaches: bool = True,
) -> None:
    """Replace a comment's text, and a guest's details, even if the sanitisers disagree on it. Needs `begin_write`.

    Without `teaches` the spam filter does not learn the new text in place of the old one.
    """
    threads.lock_of(session, comment)  # thread before comment: the lock order everywhere
    learned = comment.learned
    training.learn(session, comment, None)  # unlearn the old text; the new one is learned below
    comment.source, comment.format = draft.source, draft.format
    comment.html, comment.renderer, comment.digest = draft.rendered.html, markup.VERSION, draft.digest
    if guest is not None and comment.commenter_id is None:
        comment.proved = comment.proved and guest.email == comment.guest_email
        if guest.name != comment.guest_name:
            comment.mention_title = None
        comment.guest_name, comment.guest_email, comment.guest_website = (
            guest.name,
            guest.email,
            guest.website,
        )
    comment.edited_at = edited_at
    training.learn(session, comment, learned if teaches else None)
    session.flush()
    threads.mark_changed(session, comment.thread_id)
    if comment.status is Status.APPROVED:
        events.record(session, Event.EDITED, [comment.id])
