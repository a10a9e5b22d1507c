"""Reads the log of moderators' actions, and undoes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from commentsvc.db.session import begin_write
from commentsvc.domain import actions
from commentsvc.domain.admin import bulk_decisions, edits, mail_decisions, replies
from commentsvc.domain.admin.bulk_decisions import BulkResult
from commentsvc.domain.comments import edit_history, guest_claims, own_changes
from commentsvc.domain.moderation import decisions as moderation_decisions
from commentsvc.domain.spam import training
from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import Action, Comment, Commenter, Decision, Revision, Status

PAGE = 50
_COMMENTS = "comments."
_UNDONE_IMPORT = "import.undo"
"""The kind of undoing an import; not "comments.…", which can be undone."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An Action for display."""

    id: int
    kind: str
    summary: str
    moderator: str | None
    at: datetime
    undone_at: datetime | None
    comment_id: int | None
    """The comment, if the action was about only one, which still exists."""
    keeps_text: bool
    """Whether a former text is stored."""
    is_by_mail: bool | None
    """Whether it was done by the link of a mail to the moderator."""
    chat: str | None
    """The chat by whose link it was done, by anybody who reads it."""
    program: str | None = None
    """The name of the API token by which a program did it, for the moderator who made the token."""

    @property
    def is_authors(self) -> bool:
        """Whether it was done by the author of the comment."""
        return self.kind in {edit_history.BY_AUTHOR, own_changes.REMOVAL_KIND, guest_claims.KIND}

    @property
    def can_be_undone(self) -> bool:
        if self.kind in {edits.KIND, *edit_history.AUTHORS_TEXTS} and not self.keeps_text:
            return False
        return self.undone_at is None and self.kind.startswith(_COMMENTS)


def log(session: Session, site_id: int, *, after: int | None = None) -> tuple[list[LogEntry], int | None]:
    """Return a page of a site's actions, the latest first, and where the next page begins."""
    query = (
        select(
            *(Action.id, Action.kind, Action.summary, Commenter.name, Action.created_at, Action.undone_at),
            Comment.id,
            exists().where(Revision.action_id == Action.id),
            Action.facts[mail_decisions.BY_LINK].as_boolean(),
            Action.facts[mail_decisions.BY_CHAT].as_string(),
            Action.facts[actions.BY_PROGRAM].as_string(),
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
    """Return this person's last action on this site, if it can be undone."""
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
    """Return comments to their status before an action, except those that somebody has decided on since.

    An edited text is restored, a reply is removed; if that is impossible, nothing is undone and the result says why.
    Imported comments go to the trash, and can be imported again.
    Commits after every batch and stops after a round; the next round continues at `next_after` with `by`, the action
    that the first one created. Undoing is an action too, so it can be undone.
    """
    begin_write(session)
    action = session.get(Action, action_id, with_for_update=True, populate_existing=True)
    if action is None or not action.kind.startswith(_COMMENTS) or (action.undone_at and by is None):
        raise NotFoundError(gettext("This cannot be undone, or is already undone."))
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
    """Mark the action as undone, and undo everything except statuses; return the id of the new action."""
    action.undone_at = action.undone_at or at
    undo = actions.record(
        session,
        site_id=action.site_id,
        moderator_id=moderator_id,
        # Undone comments can be imported again; if this undo were undone too, they would be there twice.
        kind=_UNDONE_IMPORT if action.kind == actions.IMPORT else "comments.undo",
        summary=f"Undone: {action.summary}",
        at=at,
        facts={name: action.facts[name] for name in ("comment", "edit", "reply") if name in action.facts},
    )
    if "edit" in action.facts and edits.restore(session, action, undo_id=undo.id, at=at):
        outcome.sentence = gettext("The former text is restored.")
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
    action = session.get_one(Action, action_id)
    site_id = action.site_id
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
        if action.kind == actions.IMPORT:
            for comment in former:
                comment.transfer_key = None
    outcome.changed += len(former)
    return decisions[-1].id if len(decisions) == bulk_decisions.BATCH else None


def _take_back(
    session: Session, site_id: int, former: Mapping[Comment, Decision], undo_id: int, moderator_id: int
) -> None:
    """Restore the status of comments and what the filter had learned; replies and imports go to the trash."""
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
    """Restore dismissed reports; return the number of comments."""
    waved = action.facts.get("reports", {})
    comments = bulk_decisions.lock(session, action.site_id, map(int, waved))
    for comment in comments:
        comment.reports += int(waved[str(comment.id)])
    return len(comments)
