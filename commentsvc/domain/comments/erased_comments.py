"""Erases a comment at its author's request: its text, its author, and all words about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain.comments import comment_text, revisions
from commentsvc.domain.ledger import entries, subjects
from commentsvc.domain.moderation import decisions
from commentsvc.domain.notifications import events
from commentsvc.domain.spam import training
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.votes import voters
from commentsvc.models import (
    AUTHOR_COLUMNS,
    Comment,
    Decision,
    Delivery,
    DeliveryTry,
    Event,
    LedgerKind,
    Report,
    Status,
    Webmention,
)
from commentsvc.text import markup

REMOVED = "*Removed by its author.*"
"""Replaces the text, for a moderator who looks into the trash."""
_NOBODY: dict[str, None] = dict.fromkeys(AUTHOR_COLUMNS)


def erase(session: Session, comment_id: int, verdict: Verdict, *, at: datetime) -> None:
    """Empty a comment and move it to the trash, where it stays; with replies it becomes a placeholder.

    Needs `begin_write`, the lock of its thread, and `forget_words_about`.
    """
    voters.forget_votes_on(session, [comment_id])
    comment = session.get(Comment, comment_id, populate_existing=True)
    if comment is None:
        return
    entries.record(session, LedgerKind.COMMENT, [subjects.comment(comment)], at=at)
    if comment.status is not Status.APPROVED:  # else the decision below notes it
        events.record(session, Event.REMOVED, [comment.id], at=at)
    if comment.origin_key is not None:
        theirs = (Webmention.thread_id == comment.thread_id, Webmention.key == comment.origin_key)
        session.execute(delete(Webmention).where(*theirs))
    training.learn(session, comment, None)  # while its words are still there to unlearn
    blank = comment_text.from_source(REMOVED, longest=len(REMOVED))
    comment.source, comment.format, comment.digest = blank.source, blank.format, blank.digest
    comment.html, comment.renderer = blank.rendered.html, markup.VERSION
    comment.edited_at, comment.erased_at = None, at
    for name, nothing in _NOBODY.items():
        setattr(comment, name, nothing)
    session.flush()
    decisions.decide(session, comment, Status.TRASH, verdicts=[verdict])
    session.flush()


def forget_words_about(session: Session, comment_ids: Any) -> None:
    """Delete former texts, reasons of decisions, which may quote the comment, and reporters' remarks about it.

    What endpoints answered goes too: some answer with what they were sent.
    """
    revisions.forget(session, comment_ids)
    sent = select(Delivery.id).where(Delivery.comment_id.in_(comment_ids), Delivery.endpoint_id.is_not(None))
    for statement in (
        update(Decision).where(Decision.comment_id.in_(comment_ids)).values(reasons=[]),
        update(Report).where(Report.comment_id.in_(comment_ids)).values(note=None),
        update(DeliveryTry).where(DeliveryTry.delivery_id.in_(sent)).values(answer=""),
    ):
        change_rows(session, statement)
