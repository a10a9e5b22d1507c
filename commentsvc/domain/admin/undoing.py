"""The log of what moderators did, and undoing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from commentsvc.db.session import begin_write
from commentsvc.domain import actions
from commentsvc.domain.admin import bulk_decisions, edits, replies
from commentsvc.domain.admin.bulk_decisions import BulkResult
from commentsvc.domain.moderation import decisions as moderation_decisions
from commentsvc.domain.spam import training
from commentsvc.errors import NotFoundError
from commentsvc.models import Action, Comment, Commenter, Decision, Revision, Status

PAGE = 50
_COMMENTS = "comments."


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An Action as the log shows it."""

    id: int
    kind: str
    summary: str
    moderator: str | None
    at: datetime
    undone_at: datetime | None
    comment_id: int | None
    """The comment it was about, where it was about one alone and that is still there."""
    keeps_text: bool
    """Whether a former text is kept."""

    @property
    def can_be_undone(self) -> bool:
        if self.kind == edits.KIND and not self.keeps_text:
            return False
        return self.undone_at is None and self.kind.startswith(_COMMENTS)


def log(session: Session, site_id: int, *, after: int | None = None) -> tuple[list[LogEntry], int | None]:
    """Return a page of what was done on a site, the latest first, and where the next page begins."""
    query = (
        select(
            *(Action.id, Action.kind, Action.summary, Commenter.name, Action.created_at, Action.undone_at),
            Comment.id,
            exists().where(Revision.action_id == Action.id),
        )
        .outerjoin(Commenter, Commenter.id == Action.moderator_id)
        .outerjoin(Comment, Comment.id == Action.facts["comment"].as_integer())
        .where(Action.site_id == site_id)
    )
    if after is not None:
        query = query.where(Action.id < after)
    rows = session.execute(query.order_by(Action.id.desc()).limit(PAGE + 1)).all()
    lines = [LogEntry(*row) for row in rows[:PAGE]]
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
) -> BulkResult:
    """Put comments back where an action found them, except those on which somebody has decided since.

    A text that was changed is what it was, an answer is taken away; where that cannot be, nothing is undone, and
    the outcome says why. It commits by itself after every batch and stops after a round; the next one goes on with
    `next_after`, and with `by`, the action that the first one made. Undoing is an action too, and so can be undone.
    """
    begin_write(session)
    action = session.get(Action, action_id, with_for_update=True, populate_existing=True)
    if action is None or not action.kind.startswith(_COMMENTS) or (action.undone_at and by is None):
        raise NotFoundError("This cannot be undone, or was undone already.")
    outcome = BulkResult(action_id=bulk_decisions.own_action(session, action.site_id, moderator_id, by))
    if outcome.action_id is None:
        outcome.sentence = _obstacle(session, action)
        if outcome.sentence is not None:
            session.rollback()
            return outcome
        outcome.action_id = _begin(session, action, outcome, moderator_id, at)
    outcome.next_after = after or 0
    for left in reversed(range(max(1, bulk_decisions.ROUND // bulk_decisions.BATCH))):
        outcome.next_after = _put_back(session, action_id, outcome, moderator_id)
        session.commit()
        if outcome.next_after is None or not left:
            break
        begin_write(session)
    return outcome


def _obstacle(session: Session, action: Action) -> str | None:
    if "edit" in action.facts:
        return edits.obstacle(session, action)
    return replies.obstacle(session, action) if "reply" in action.facts else None


def _begin(session: Session, action: Action, outcome: BulkResult, moderator_id: int, at: datetime) -> int:
    """Note that the action is undone, and put back all that is not a comment's status; return the new action."""
    action.undone_at = action.undone_at or at
    undo = actions.record(
        session,
        site_id=action.site_id,
        moderator_id=moderator_id,
        kind="comments.undo",
        summary=f"Undone: {action.summary}",
        at=at,
        facts={name: action.facts[name] for name in ("comment", "edit", "reply") if name in action.facts},
    )
    if "edit" in action.facts and edits.restore(session, action, undo_id=undo.id, at=at):
        outcome.sentence = "The text is again what it was."
    outcome.changed += _report_again(session, action)
    session.flush()
    return undo.id


def _put_back(session: Session, action_id: int, outcome: BulkResult, moderator_id: int) -> int | None:
    """Undo the next batch of an action's decisions; return the last one's id, or None at the end."""
    decisions = session.scalars(
        select(Decision)
        .where(Decision.action_id == action_id, Decision.id > (outcome.next_after or 0))
        .order_by(Decision.id)
        .limit(bulk_decisions.BATCH)
    ).all()
    site_id = session.get_one(Action, action_id).site_id
    comments = {
        one.id: one for one in bulk_decisions.lock(session, site_id, (one.comment_id for one in decisions))
    }
    decided_since = _decided_since(session, [one.id for one in decisions])
    outcome.elsewhere += sum(one.comment_id not in comments for one in decisions)
    former: dict[Comment, Decision] = {}
    for decision in decisions:
        comment = comments.get(decision.comment_id)
        if comment is None:
            continue
        if decision.id in decided_since or comment.status is not decision.status:
            outcome.already_decided.append(bulk_decisions.already_decided(session, comment))
        else:
            former[comment] = decision
    if former and outcome.action_id is not None:
        _take_back(session, site_id, former, outcome.action_id, moderator_id)
    outcome.changed += len(former)
    return decisions[-1].id if len(decisions) == bulk_decisions.BATCH else None


def _take_back(
    session: Session, site_id: int, former: Mapping[Comment, Decision], undo_id: int, moderator_id: int
) -> None:
    """Give comments the status they had, and the local filter what it knew; an answer was nowhere before."""
    statuses = {comment: decision.before or Status.TRASH for comment, decision in former.items()}
    moderation_decisions.decide_all(
        session, statuses, moderator_id=moderator_id, action_id=undo_id, teaches=False
    )
    learned = {comment: decision.learned for comment, decision in former.items()}
    training.learn_all(session, site_id, learned)


def _decided_since(session: Session, ids: Sequence[int]) -> set[int]:
    later = aliased(Decision)
    query = select(Decision.id).where(
        Decision.id.in_(ids), exists().where(later.comment_id == Decision.comment_id, later.id > Decision.id)
    )
    return set(session.scalars(query))


def _report_again(session: Session, action: Action) -> int:
    """Let reports that were waved through stand again; return how many comments have some."""
    waved = action.facts.get("reports", {})
    comments = bulk_decisions.lock(session, action.site_id, map(int, waved))
    for comment in comments:
        comment.reports += int(waved[str(comment.id)])
    return len(comments)
