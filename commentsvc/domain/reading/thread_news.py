"""What is new in a thread since a reader's last visit. Their browser remembers the visit; nothing is stored here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased

from commentsvc.models import Comment, Decision, Kind, Status, Thread

LATEST = 100
"""How many of a thread's comments are looked at, so that the work does not grow with the thread."""
PAUSE = timedelta(minutes=30)
"""A visit ends when the browser has not asked for so long; a reload does not begin another one."""
_VISIT = re.compile(r"([0-9]{1,13}),([0-9]{1,13})")


@dataclass(frozen=True, slots=True)
class Visit:
    """A reader's visit to a thread."""

    since: datetime
    """The end of the visit before; on the first visit its own beginning."""
    at: datetime
    """When the browser last asked."""

    @classmethod
    def read(cls, text: str, *, at: datetime) -> Visit:
        """Return the visit at `at` of a browser that remembers `text`; of any other text, the first one."""
        parts = _VISIT.fullmatch(text)
        if parts is None:
            return cls(at, at)
        since, last = (_time(part) for part in parts.groups())
        return cls(min(last if at - last > PAUSE else since, at), at)

    def milliseconds(self) -> tuple[int, int]:
        """Return what the browser is to remember, in milliseconds of Unix time."""
        return _milliseconds(self.since), _milliseconds(self.at)


@dataclass(frozen=True, slots=True)
class ThreadNews:
    """Comments by others that became visible since the last visit, oldest first."""

    answers: list[int]
    """Those that answer the reader."""
    comments: list[int]
    """All of them; with `LATEST` there may be more."""


def news(
    session: Session,
    thread: Thread | None,
    visit: Visit,
    *,
    author_key_hash: str | None = None,
    commenter_id: int | None = None,
) -> ThreadNews | None:
    """Return what is new for a reader, known by their account or their browser's key; None for nothing."""
    if thread is None or visit.since == visit.at:
        return None
    latest = (
        select(Comment.id)
        .where(Comment.thread_id == thread.id, Comment.status == Status.APPROVED)
        .order_by(Comment.id.desc())
        .limit(LATEST)
    )
    answered = aliased(Comment)
    reader = author_key_hash, commenter_id
    query = (
        select(Comment.id, exists().where(answered.id == Comment.parent_id, _is_by(answered, *reader)))
        .where(
            Comment.id.in_(select(latest.subquery().c.id)),
            Comment.kind == Kind.COMMENT,
            ~_is_by(Comment, *reader),
            or_(Comment.created_at > visit.since, _was_approved_after(visit.since)),
        )
        .order_by(Comment.id)
    )
    rows = session.execute(query).all()
    return ThreadNews([row[0] for row in rows if row[1]], [row[0] for row in rows]) if rows else None


def _is_by(table: Any, author_key_hash: str | None, commenter_id: int | None) -> Any:
    """Return an SQL condition that is never NULL, so that it can be negated."""
    by_browser = table.author_key_hash.is_not_distinct_from(author_key_hash)
    by_account = table.commenter_id.is_not_distinct_from(commenter_id)
    given = [
        condition
        for condition, value in ((by_browser, author_key_hash), (by_account, commenter_id))
        if value is not None
    ]
    return or_(*given) if given else Comment.id.is_(None)


def _was_approved_after(since: datetime) -> Any:
    """Return an SQL condition: a comment that waited is new from its approval."""
    return exists().where(
        Decision.comment_id == Comment.id,
        Decision.status == Status.APPROVED,
        Decision.before.is_not(None),
        Decision.before != Status.APPROVED,
        Decision.created_at > since,
    )


def _time(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
