"""Deletes spam and trash, expired, chosen or all; a comment with replies becomes a placeholder."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from commentsvc.db.rows import change_rows
from commentsvc.db.session import begin_write
from commentsvc.domain import actions
from commentsvc.domain.admin import bulk_decisions
from commentsvc.domain.comments import comment_text, revisions
from commentsvc.domain.ledger import entries, subjects
from commentsvc.domain.maintenance import deleted_data
from commentsvc.domain.threads import threads
from commentsvc.domain.votes import voters
from commentsvc.models import (
    AUTHOR_COLUMNS,
    Action,
    Comment,
    Decision,
    DeletedImport,
    LedgerKind,
    Status,
    search_text,
)
from commentsvc.text import markup

EMPTY = comment_text.DELETED
"""Replaces the text, for a moderator who finds the placeholder."""
BATCH = 200
"""Comments per transaction, during which nobody else can write on SQLite."""
ROUND = 1000
"""Comments per request that empties a list; then the owner sees the progress."""
COUNTED = 10_000
"""The question before a list is emptied counts at most this many comments."""
KIND = "trash.delete"
"""The kind of the action; not "comments.…", which can be undone."""
_REMOVED = (Status.SPAM, Status.TRASH)
_NOBODY: dict[str, None] = dict.fromkeys((*AUTHOR_COLUMNS, "edited_at"))


@dataclass(frozen=True, slots=True)
class EmptyingResult:
    """What one round of emptying a list did."""

    deleted: int
    action_id: int | None
    """None if nothing was deleted, in earlier rounds either."""
    is_finished: bool


def remove(
    session: Session, site_id: int, status: Status, *, before: datetime, limit: int, recorded: bool = False
) -> int:
    """Delete or empty comments that got this status earlier than `before`; return how many. Commits.

    The local filter keeps what it learned from them, as a mail program does when it empties the junk folder. With
    `recorded` the ledger lists them; comments that expire are not listed: they expire again after a restore.
    """
    due = _due(site_id, status, before)
    return _delete(session, due, limit, recorded) or _empty(session, due, limit, recorded)


def remove_chosen(
    session: Session,
    site_id: int,
    ids: Collection[int],
    *,
    moderator_id: int,
    at: datetime,
    progress: Callable[[int], object],
) -> int:
    """Delete or empty these comments of a site, of which only spam and trash can go; return how many went.

    The site's log names it. Commits after every batch, and removes the texts from the database's files.
    """
    wanted, done, action_id = sorted(ids), 0, None
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        which = [Comment.site_id == site_id, Comment.id.in_(batch), Comment.status.in_(_REMOVED)]
        gone = _delete(session, which, BATCH, recorded=True) + _empty(session, which, BATCH, recorded=True)
        progress(len(batch))
        done += gone
        if gone:
            action_id = _record(session, site_id, action_id, gone, moderator_id=moderator_id, at=at)
    session.rollback()
    deleted_data.purge(session)
    return done


def remove_all(
    session: Session,
    site_id: int,
    status: Status,
    *,
    before: datetime,
    moderator_id: int,
    at: datetime,
    action_id: int | None = None,
) -> EmptyingResult:
    """Delete or empty all spam, or all trash, of a site, except what got into the list at `before` or later.

    The site's log names it. Commits after every batch and stops after a round; the next round continues with
    `action_id`, the action that the first one recorded. At the end it removes the texts from the database's files.
    """
    action_id, done = _own_action(session, site_id, moderator_id, action_id), 0
    for _ in range(max(1, ROUND // BATCH)):
        gone = remove(session, site_id, status, before=before, limit=BATCH, recorded=True)
        if not gone:
            session.rollback()
            deleted_data.purge(session)
            return EmptyingResult(done, action_id, is_finished=True)
        done += gone
        action_id = _record(session, site_id, action_id, gone, moderator_id=moderator_id, at=at)
    return EmptyingResult(done, action_id, is_finished=False)


def size(session: Session, site_id: int, status: Status, *, before: datetime) -> int:
    """Return how many comments `remove_all` would delete or empty; `COUNTED` means at least that many."""
    due = [*_due(site_id, status, before), Comment.digest != comment_text.digest_of(EMPTY)]
    some = select(Comment.id).where(*due).order_by(Comment.created_at).limit(COUNTED)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def removable(session: Session, ids: Collection[int]) -> list[int]:
    """Return which of these comments `remove_chosen` would delete or empty: placeholders are empty already."""
    blank, wanted = comment_text.digest_of(EMPTY), list(ids)
    found: list[int] = []
    for start in range(0, len(wanted), BATCH):
        here = Comment.id.in_(wanted[start : start + BATCH])
        found += session.scalars(
            select(Comment.id).where(here, Comment.status.in_(_REMOVED), Comment.digest != blank)
        )
    return found


def _own_action(session: Session, site_id: int, moderator_id: int, action_id: int | None) -> int | None:
    """Return the action of an earlier round if it is this person's, and of this kind."""
    mine = bulk_decisions.own_action(session, site_id, moderator_id, action_id)
    return mine if mine and session.get_one(Action, mine).kind == KIND else None


def _record(
    session: Session, site_id: int, action_id: int | None, number: int, *, moderator_id: int, at: datetime
) -> int:
    """Add `number` comments to an action, or to a new one; return its id. Commits."""
    begin_write(session)
    if action_id is None:
        action = actions.record(
            session, site_id=site_id, moderator_id=moderator_id, kind=KIND, summary="", at=at
        )
    else:
        action = session.get_one(Action, action_id)
    total = int(action.facts.get("comments", 0)) + number
    action.facts = {**action.facts, "comments": total}
    action.summary = f"Deleted for good: {bulk_decisions.count_in_words(total)}."
    recorded = action.id
    session.commit()
    return recorded


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


def _delete(session: Session, due: list[ColumnElement[bool]], limit: int, recorded: bool) -> int:
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
        if recorded:
            _record_in_ledger(session, ids)
        change_rows(session, delete(Comment).where(here))
        session.commit()
    return len(ids)


def _empty(session: Session, due: list[ColumnElement[bool]], limit: int, recorded: bool) -> int:
    blank = comment_text.from_source(EMPTY, longest=len(EMPTY))
    ids = _locked(session, [*due, Comment.digest != blank.digest], limit)
    if ids:
        if recorded:
            _record_in_ledger(session, ids)
        revisions.forget(session, ids)
        voters.forget_votes_on(session, ids)
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
        change_rows(session, emptied)
        unlearned = update(Decision).where(Decision.comment_id.in_(ids)).values(learned=None)
        change_rows(session, unlearned)
        session.commit()
    return len(ids)


def _record_in_ledger(session: Session, ids: Sequence[int]) -> None:
    rows = session.scalars(select(Comment).where(Comment.id.in_(ids)))
    entries.record(session, LedgerKind.COMMENT, [subjects.comment(row) for row in rows])


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
