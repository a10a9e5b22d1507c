"""Decides on a held comment for the moderator to whom, or to whose chat, it was sent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from commentsvc.domain.admin import bulk_decisions, replies
from commentsvc.domain.admin.bulk_decisions import AlreadyDecided
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.domain.subscriptions.decision_links import DecisionLink
from commentsvc.models import Action, Status

BY_LINK = "by_mail_link"
"""The fact of an Action that was done by the link of a mail."""
BY_CHAT = "by_chat_link"
"""The fact of an Action that was done by the link of a chat message, by anybody who reads it; the chat's name."""


def decide(session: Session, link: DecisionLink, status: Status, *, at: datetime) -> AlreadyDecided | None:
    """Give a held comment a status; return who has decided on it before, None if nobody has. Needs `begin_write`."""
    seen = {link.comment.id: Status.HELD}
    outcome = bulk_decisions.decide(
        session, link.comment.site_id, seen, status, moderator_id=link.moderator_id, at=at
    )
    if outcome.action_id is not None:
        _note_link(session.get_one(Action, outcome.action_id), link)
    return outcome.already_decided[0] if outcome.already_decided else None


def reply(session: Session, link: DecisionLink, draft: CommentText, *, at: datetime) -> AlreadyDecided | None:
    """Approve a held comment and reply to it; return who has decided on it before, in which case nothing is done.

    Needs `begin_write`; raises as `comments.post` does.
    """
    (comment,) = bulk_decisions.lock(session, link.comment.site_id, [link.comment.id])
    if comment.status is not Status.HELD:
        return bulk_decisions.already_decided(session, comment)
    _, action = replies.post(
        session,
        link.site,
        comment,
        draft,
        approve=True,
        moderator_id=link.moderator_id,
        role=link.role,
        at=at,
    )
    _note_link(action, link)
    return None


def _note_link(action: Action, link: DecisionLink) -> None:
    if link.chat is None:
        action.facts = {**action.facts, BY_LINK: True}
    else:
        action.facts = {**action.facts, BY_CHAT: link.chat}
