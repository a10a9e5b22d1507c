"""Deletes expired spam and trash; a comment with replies becomes a placeholder."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from commentsvc.db.session import begin_write
from commentsvc.domain.admin import edits
from commentsvc.domain.comments import comment_text
from commentsvc.domain.threads import threads
from commentsvc.models import AUTHOR_COLUMNS, Comment, Decision, DeletedImport, Status, search_text
from commentsvc.text import markup

EMPTY = "*Deleted, as it had been kept for its time.*"
"""Replaces the text, for a moderator who finds the placeholder."""
_NOBODY: dict[str, None] = dict.fromkeys((*AUTHOR_COLUMNS, "edited_at"))


def remove(session: Session, site_id: int, status: Status, *, before: datetime, limit: int) -> int:
    """Delete or empty comments that have had this status since `before`; return how many. Commits.

    The local filter keeps what it learned from them, as a mail program does when it empties the junk folder.
    """
    due = _due(site_id, status, before)
    return _delete(session, due, limit) or _empty(session, due, limit)


def _due(site_id: int, status: Status, before: datetime) -> list[ColumnElement[bool]]:
    decided_since = exists().where(Decision.comment_id == Comment.id, Decision.created_at >= before)
    return [
        Comment.site_id == site_id,
        Comment.status == status,
        Comment.created_at < before,
        ~decided_since,
    ]


def _is_needed() -> ColumnElement[bool]:
    """Whether a comment has replies, or has the highest id, which SQLite would reuse."""
    answer, below, other = aliased(Comment), aliased(Comment), aliased(Comment)
    is_last = Comment.id == select(func.max(other.id)).scalar_subquery()
    return or_(
        exists().where(answer.parent_id == Comment.id), exists().where(below.root_id == Comment.id), is_last
    )


def _delete(session: Session, due: list[ColumnElement[bool]], limit: int) -> int:
    which = [*due, ~_is_needed()]
    ids = _locked(session, which, limit)
    if ids:
        here = Comment.id.in_(ids)
        imported = select(Comment.site_id, Comment.transfer_key).where(
            here, Comment.transfer_key.is_not(None)
        )
        for site_id, key in session.execute(imported).all():
            session.merge(DeletedImport(site_id=site_id, transfer_key=key))
        session.flush()
        session.execute(delete(Comment).where(here).execution_options(synchronize_session=False))
        session.commit()
    return len(ids)


def _empty(session: Session, due: list[ColumnElement[bool]], limit: int) -> int:
    blank = comment_text.from_source(EMPTY, longest=len(EMPTY))
    ids = _locked(session, [*due, Comment.digest != blank.digest], limit)
    if ids:
        edits.forget(session, ids)
        values = {
            "source": blank.source,
            "format": blank.format,
            "html": blank.rendered.html,
            "renderer": markup.VERSION,
            "digest": blank.digest,
            "search_text": search_text(Comment, {"source": blank.source}),
            "learned": None,  # the filter cannot unlearn a text that is gone
        }
        emptied = update(Comment).where(Comment.id.in_(ids)).values(**values, **_NOBODY)
        session.execute(emptied.execution_options(synchronize_session=False))
        unlearned = update(Decision).where(Decision.comment_id.in_(ids)).values(learned=None)
        session.execute(unlearned.execution_options(synchronize_session=False))
        session.commit()
    return len(ids)


def _locked(session: Session, which: list[ColumnElement[bool]], limit: int) -> Sequence[int]:
    """Return comments that fulfil `which`, with their threads locked; empty if there are none."""
    session.rollback()
    rows = session.execute(
        select(Comment.id, Comment.thread_id).where(*which).order_by(Comment.created_at).limit(limit)
    ).all()
    if not rows:
        return []
    begin_write(session)
    threads.lock_all(session, (row.thread_id for row in rows))
    still = select(Comment.id).where(Comment.id.in_([row.id for row in rows]), *which)
    ids = sorted(session.scalars(still))
    if not ids:
        session.rollback()
    return ids
