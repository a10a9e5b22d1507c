"""Edits by authors, for moderators: new texts that wait, former texts, and whose edit the last one was."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain import stored_reasons
from commentsvc.domain.comments import comment_text, edit_history, own_changes
from commentsvc.models import Action, Commenter, PendingEdit, Revision, Status, TextFormat
from commentsvc.text import markup


@dataclass(frozen=True, slots=True)
class WaitingText:
    """An author's new text that a check held, for display."""

    html: markup.SafeHtml
    version: str
    """Tells whether the author has changed it since."""
    reasons: list[str]
    """From the checks that held it."""
    at: datetime


@dataclass(frozen=True, slots=True)
class FormerText:
    """A text that an edit replaced."""

    source: str
    replaced_at: datetime
    by_author: bool
    moderator: str | None


def waiting_texts(session: Session, comment_ids: Collection[int]) -> dict[int, WaitingText]:
    """Return the waiting texts of these comments, by the comment's id."""
    query = select(PendingEdit).where(PendingEdit.comment_id.in_(comment_ids))
    return {pending.comment_id: _waiting(pending) for pending in session.scalars(query)}


def former_texts(session: Session, comment_id: int) -> list[FormerText]:
    """Return the stored former texts of a comment, the latest first."""
    query = (
        select(Revision.source, Revision.created_at, Action.kind, Commenter.name)
        .join(Action, Action.id == Revision.action_id)
        .outerjoin(Commenter, Commenter.id == Action.moderator_id)
        .where(Revision.comment_id == comment_id)
        .order_by(Revision.id.desc())
    )
    return [
        FormerText(row.source, row.created_at, row.kind in edit_history.AUTHORS_TEXTS, row.name)
        for row in session.execute(query)
    ]


def edited_by_authors(session: Session, comment_ids: Collection[int]) -> set[int]:
    """Return which of these comments their authors edited within the time that former texts are stored."""
    query = select(Revision.comment_id).join(Action, Action.id == Revision.action_id)
    return set(
        session.scalars(
            query.where(Revision.comment_id.in_(comment_ids), Action.kind.in_(edit_history.AUTHORS_TEXTS))
        )
    )


def _waiting(pending: PendingEdit) -> WaitingText:
    rendered = comment_text.render(pending.source, TextFormat.MARKDOWN)
    return WaitingText(
        html=markup.trusted(rendered.html),
        version=own_changes.version_of(pending.source),
        reasons=[
            stored_reasons.translated(text)
            for reason in pending.reasons
            if reason.get("status") != Status.APPROVED.value and (text := str(reason.get("reason") or ""))
        ],
        at=pending.created_at,
    )
