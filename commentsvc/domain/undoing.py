"""The log of what moderators did, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from commentsvc.db import begin_write
from commentsvc.domain import actions, bulk, moderation
from commentsvc.domain.bulk import Outcome
from commentsvc.errors import NotFoundError
from commentsvc.models import Action, Comment, Commenter, Decision, Report

PAGE = 50
_COMMENTS = "comments."


@dataclass(frozen=True, slots=True)
class Line:
    """An Action as the log shows it."""

    id: int
    kind: str
    summary: str
    moderator: str | None
    at: datetime
    undone_at: datetime | None

    @property
    def can_be_undone(self) -> bool:
        return self.undone_at is None and self.kind.startswith(_COMMENTS)


def log(session: Session, site_id: int, *, after: int | None = None) -> tuple[list[Line], int | None]:
    """Return a page of what was done on a site, the latest first, and where the next page begins."""
    query = (
        select(Action.id, Action.kind, Action.summary, Commenter.name, Action.created_at, Action.undone_at)
        .outerjoin(Commenter, Commenter.id == Action.moderator_id)
        .where(Action.site_id == site_id)
    )
    if after is not None:
        query = query.where(Action.id < after)
    rows = session.execute(query.order_by(Action.id.desc()).limit(PAGE + 1)).all()
    lines = [Line(*row) for row in rows[:PAGE]]
    return lines, lines[-1].id if len(rows) > PAGE else None


def last_undoable(session: Session, site_id: int, moderator_id: int) -> int | None:
    """Return the last thing that this person did here, where it can be undone."""
    lines = session.execute(
        select(Action.id, Action.kind, Action.undone_at)
        .where(Action.site_id == site_id, Action.moderator_id == moderator_id)
        .order_by(Action.id.desc())
        .limit(1)
    ).first()
    return lines.id if lines and lines.undone_at is None and lines.kind.startswith(_COMMENTS) else None


def undo(
    session: Session,
    action_id: int,
    *,
    moderator_id: int,
    at: datetime,
    after: int | None = None,
    by: int | None = None,
) -> Outcome:
    """Put comments back where an action found them, except those on which somebody has decided since.

    It commits by itself after every batch and stops after a round; the next one goes on with `next_after`, and
    with `by`, the action that the first one made. Undoing is an action too, and so can be undone.
    """
    begin_write(session)
    action = session.get(Action, action_id, with_for_update=True, populate_existing=True)
    if action is None or not action.kind.startswith(_COMMENTS) or (action.undone_at and by is None):
        raise NotFoundError("This cannot be undone, or was undone already.")
    outcome = Outcome(action_id=bulk.own(session, action.site_id, moderator_id, by))
    action.undone_at = action.undone_at or at
    if outcome.action_id is None:
        said = f"Undone: {action.summary}"
        outcome.action_id = actions.record(
            session,
            site_id=action.site_id,
            moderator_id=moderator_id,
            kind="comments.undo",
            summary=said,
            at=at,
        ).id
    outcome.changed += _report_again(session, action)
    session.commit()
    outcome.next_after = after or 0
    for _ in range(max(1, bulk.ROUND // bulk.BATCH)):
        begin_write(session)
        last = _put_back(session, action_id, outcome, moderator_id)
        session.commit()
        outcome.next_after = last
        if last is None:
            break
    return outcome


def _put_back(session: Session, action_id: int, outcome: Outcome, moderator_id: int) -> int | None:
    """Undo the next batch of an action's decisions; return the last one's id, or None at the end."""
    decisions = session.scalars(
        select(Decision)
        .where(Decision.action_id == action_id, Decision.id > (outcome.next_after or 0))
        .order_by(Decision.id)
        .limit(bulk.BATCH)
    ).all()
    decided_since = _decided_since(session, [one.id for one in decisions])
    comments = {
        one.id: one
        for one in session.scalars(
            select(Comment)
            .where(Comment.id.in_([one.comment_id for one in decisions]))
            .execution_options(populate_existing=True)
        )
    }
    for decision in sorted(decisions, key=lambda one: (comments[one.comment_id].thread_id, one.id)):
        comment = comments[decision.comment_id]
        if decision.id in decided_since or comment.status is not decision.status or decision.before is None:
            outcome.overtaken.append(bulk.overtaken(session, comment))
            continue
        moderation.decide(
            session, comment, decision.before, moderator_id=moderator_id, action_id=outcome.action_id
        )
        outcome.changed += 1
    return decisions[-1].id if len(decisions) == bulk.BATCH else None


def _decided_since(session: Session, ids: Sequence[int]) -> set[int]:
    later = aliased(Decision)
    query = select(Decision.id).where(
        Decision.id.in_(ids), exists().where(later.comment_id == Decision.comment_id, later.id > Decision.id)
    )
    return set(session.scalars(query))


def _report_again(session: Session, action: Action) -> int:
    """Let reports that were waved through stand again; return how many comments have some."""
    found = 0
    for comment_id in map(int, action.facts.get("reports", {})):
        comment = session.get(Comment, comment_id, populate_existing=True)
        if comment is not None and not comment.reports:
            of_it = select(func.count()).select_from(Report).where(Report.comment_id == comment_id)
            comment.reports = session.scalar(of_it) or 0
            found += 1
    return found
