"""Removes comments that are gone at their origin, so that moderators can undo it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.domain.moderation import decisions
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads import threads
from commentsvc.models import (
    Action,
    Comment,
    Decision,
    Status,
    Thread,
)

GONE = "comments.gone"
"""The kind of the action that removes what was deleted at its origin; moderators can undo it."""
DELETED = "It was deleted at its origin."
WITHDRAWN = "Its author does not want it shown to everybody any more."
_MOST = 3000
"""Comments that one call removes."""


def remove(
    session: Session, thread: Thread, keys: Iterable[str], at: datetime, *, reason: str = DELETED
) -> int:
    """Move comments to the trash because they are gone at their origin; return how many. Needs `begin_write`.

    One action of the log, which a moderator can undo; what they restored stays.
    """
    threads.lock(session, thread.id)
    wanted = list(islice(keys, _MOST))
    if not wanted:
        return 0
    undone = (
        select(Decision.comment_id)
        .join(Action, Action.id == Decision.action_id)
        .where(Action.kind == GONE, Action.undone_at.is_not(None))
    )
    query = select(Comment).where(
        Comment.thread_id == thread.id,
        Comment.origin_key.in_(wanted),
        Comment.status != Status.TRASH,
        Comment.id.not_in(undone),
    )
    gone = session.scalars(query.order_by(Comment.id).execution_options(populate_existing=True)).all()
    if gone:
        _remove(session, thread, gone, at, reason)
    return len(gone)


def _remove(session: Session, thread: Thread, gone: Sequence[Comment], at: datetime, reason: str) -> None:
    count = "One answer" if len(gone) == 1 else f"{len(gone):,} answers"
    action = actions.record(
        session,
        site_id=thread.site_id,
        moderator_id=None,
        kind=GONE,
        summary=f"{count} from elsewhere removed: {reason}",
        at=at,
        facts={"comments": len(gone)},
    )
    verdict = Verdict(CheckName.ORIGIN, Status.TRASH, reason)
    for comment in gone:
        decisions.decide(session, comment, Status.TRASH, verdicts=[verdict], action_id=action.id)
    session.flush()
