"""Decides on one or many comments in a way that can be undone: every time is one Action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain import actions
from commentsvc.domain.admin import queue, queue_query
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.domain.moderation import decisions
from commentsvc.domain.threads import threads
from commentsvc.languages import ENGLISH
from commentsvc.messages import gettext, gettext_noop, ngettext, using
from commentsvc.models import Action, Comment, Commenter, Decision, Status
from commentsvc.text import numbers

BATCH = 100
"""Comments per transaction, during which nobody else can write on SQLite."""
ROUND = 1000
"""Comments per request; then the moderator sees the progress and continues."""

KINDS = {
    Status.APPROVED: ("comments.approve", gettext_noop("Approved")),
    Status.HELD: ("comments.hold", gettext_noop("Held for a decision")),
    Status.SPAM: ("comments.spam", gettext_noop("Marked as spam")),
    Status.TRASH: ("comments.trash", gettext_noop("Moved to the trash")),
    None: ("comments.restore", gettext_noop("Restored")),
}
"""Kind and label of an action, by the status that it gives."""


@dataclass(frozen=True, slots=True)
class AlreadyDecided:
    """A comment that somebody decided on after the page was shown."""

    comment_id: int
    status: Status
    by: str | None
    """The moderator's name; None if it was not a moderator."""


@dataclass(slots=True)
class BulkResult:
    """The result of a bulk action."""

    action_id: int | None = None
    """None if nothing was changed."""
    changed: int = 0
    already_decided: list[AlreadyDecided] = field(default_factory=list)
    next_after: int | None = None
    """Where the next round begins; None at the end."""
    sentence: str | None = None
    """What happened, if the numbers do not tell."""
    elsewhere: int = 0
    """Comments that have moved to another site and stay as they are."""


def decide(
    session: Session,
    site_id: int,
    seen: Mapping[int, Status | None],
    status: Status | None,
    *,
    moderator_id: int,
    at: datetime,
) -> BulkResult:
    """Give comments of a site a status, or with None the one that they had before they became spam or trash.

    `seen` has the status that the page showed for each: if it has changed since, the comment stays as it is; None skips
    this check. Needs `begin_write`; the caller commits.
    """
    outcome = BulkResult()
    wanted = []
    for comment in lock(session, site_id, seen):
        known = seen[comment.id]
        was_erased = comment.erased_at is not None and status is not Status.TRASH
        if was_erased or (known is not None and comment.status is not known):
            outcome.already_decided.append(already_decided(session, comment))
        else:
            wanted.append(comment)
    _decide_all(session, outcome, wanted, status, moderator_id=moderator_id, at=at)
    return outcome


def decide_matching(
    session: Session,
    site_id: int,
    tab: Tab,
    filters: Filters,
    status: Status | None,
    *,
    ceiling: int,
    after: int | None,
    moderator_id: int,
    at: datetime,
    action_id: int | None = None,
) -> BulkResult:
    """Decide on all comments that pass the filters, with ids up to `ceiling`, so none that came after the page.

    Commits after every batch and stops after a round. The next round continues at `next_after` with the same action.
    """
    outcome = BulkResult(action_id=own_action(session, site_id, moderator_id, action_id))
    for _ in range(max(1, ROUND // BATCH)):
        session.rollback()
        matching = queue_query.find(session, site_id, tab, filters, after=after, limit=BATCH, ceiling=ceiling)
        begin_write(session)
        mine = own_action(session, site_id, moderator_id, outcome.action_id, lock=True)
        if outcome.action_id is not None and mine is None:  # undone meanwhile
            session.rollback()
            outcome.next_after = None
            break
        still = [
            comment
            for comment in lock(session, site_id, matching.ids)
            if comment.status in tab.statuses and comment.erased_at is None
        ]
        _decide_all(session, outcome, still, status, moderator_id=moderator_id, at=at)
        session.commit()
        after = outcome.next_after = matching.next_after
        if after is None:
            break
    return outcome


def dismiss_reports(
    session: Session, site_id: int, ids: Iterable[int], *, moderator_id: int, at: datetime
) -> BulkResult:
    """Dismiss reports: the comments leave the list of reported ones. Needs `begin_write`; the caller commits."""
    reported = [comment for comment in lock(session, site_id, ids) if comment.reports]
    if not reported:
        return BulkResult()
    action = actions.record(
        session,
        site_id=site_id,
        moderator_id=moderator_id,
        kind="comments.keep",
        summary=_logged("Kept despite reports", len(reported)),
        at=at,
        facts={"reports": {str(comment.id): comment.reports for comment in reported}},
    )
    for comment in reported:
        comment.reports = 0
    return BulkResult(action.id, len(reported))


def already_decided(session: Session, comment: Comment) -> AlreadyDecided:
    """Return who gave a comment its current status."""
    name = session.scalar(
        select(Commenter.name)
        .select_from(Decision)
        .outerjoin(Commenter, Commenter.id == Decision.moderator_id)
        .where(Decision.comment_id == comment.id)
        .order_by(Decision.id.desc())
        .limit(1)
    )
    return AlreadyDecided(comment.id, comment.status, name)


def lock(session: Session, site_id: int, ids: Iterable[int]) -> Sequence[Comment]:
    """Lock the comments' threads and read the comments again, ordered by thread."""
    wanted = list(ids)
    threads.lock_all(session, session.scalars(select(Comment.thread_id).where(Comment.id.in_(wanted))))
    query = select(Comment).where(Comment.id.in_(wanted), Comment.site_id == site_id)
    query = query.order_by(Comment.thread_id, Comment.id).execution_options(populate_existing=True)
    return session.scalars(query).all()


def _decide_all(
    session: Session,
    outcome: BulkResult,
    comments: Sequence[Comment],
    status: Status | None,
    *,
    moderator_id: int,
    at: datetime,
) -> None:
    kind, label = KINDS[status]
    if status is None:
        former = queue.statuses_before_removal(session, [comment.id for comment in comments])
        targets = {comment: former[comment.id] for comment in comments}
    else:
        targets = dict.fromkeys(comments, status)
    targets = {comment: target for comment, target in targets.items() if comment.status is not target}
    if not targets:
        return
    if outcome.action_id is None:
        record = actions.record(
            session, site_id=comments[0].site_id, moderator_id=moderator_id, kind=kind, summary="", at=at
        )
        outcome.action_id = record.id
    decisions.decide_all(session, targets, moderator_id=moderator_id, action_id=outcome.action_id)
    outcome.changed += len(targets)
    action = session.get_one(Action, outcome.action_id)
    total = int(action.facts.get("comments", 0)) + len(targets)
    action.facts = {**action.facts, "comments": total}
    action.summary = _logged(label, total)


def own_action(
    session: Session, site_id: int, moderator_id: int, action_id: int | None, *, lock: bool = False
) -> int | None:
    """Return the action of an earlier round if it is this person's, of this site, and not undone.

    With `lock` nobody can undo it meanwhile; actions are locked before threads.
    """
    action = (
        session.get(Action, action_id, with_for_update=lock or None, populate_existing=lock)
        if action_id
        else None
    )
    mine = action is not None and (action.site_id, action.moderator_id) == (site_id, moderator_id)
    return action_id if action is not None and mine and action.undone_at is None else None


def count_in_words(number: int) -> str:
    """Return "one comment" or, for example, "1,204 comments"."""
    if number == 1:
        return gettext("one comment")
    return ngettext("%(number)s comment", "%(number)s comments", number) % {"number": numbers.number(number)}


def sentence(label: str, number: int) -> str:
    """Return what was done to how many comments, such as "Approved: one comment."."""
    # translators: such as “Approved: 12 comments.”
    return gettext("%(done)s: %(comments)s.") % {"done": label, "comments": count_in_words(number)}


def _logged(label: str, number: int) -> str:
    """Return the sentence as the log stores it, in English."""
    with using(ENGLISH):
        return sentence(label, number)
