"""A site's public comments as records, all of them or those of threads that have changed since a time.

A thread's record takes the place of everything known about it: its comments follow, and what does not follow is gone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from commentsvc.domain.fields import ROW_PATTERN
from commentsvc.domain.reading import public_records, queries, thread_pages
from commentsvc.errors import BadAddressError, NotFoundError
from commentsvc.models import Comment, Decision, Site, Status, Thread

MOST = 1000
"""Comments in one answer, and also the threads that one answer looks at."""
MOST_REMOVED = 10_000
"""Ids of removed comments that one thread's record lists."""
OVERLAP = timedelta(minutes=5)
"""How far the next time lies before this answer: longer than a transaction takes from its change to its commit."""
_CURSOR = re.compile(f"([0-9]{{1,10}})-({ROW_PATTERN})-({ROW_PATTERN})")

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """Where an answer begins."""

    started: datetime
    """When the first of a series of answers began."""
    thread_id: int = 0
    comment_id: int = 0
    """The last comment of this thread in the answer before; 0 if it had the whole thread."""

    @classmethod
    def parse(cls, text: str) -> StreamPosition:
        """Read a cursor; raises BadAddressError."""
        match = _CURSOR.fullmatch(text)
        if not match:
            raise BadAddressError("`after` must be the value of the answer before.")
        return cls(datetime.fromtimestamp(int(match[1]), UTC), int(match[2]), int(match[3]))

    def __str__(self) -> str:
        return f"{int(self.started.timestamp())}-{self.thread_id}-{self.comment_id}"


def site_named(session: Session, name: str) -> Site:
    """Return a site; raises NotFoundError, which names no other."""
    site = session.scalar(select(Site).where(Site.name == name))
    if site is None:
        raise NotFoundError("There is no site of this name.")
    return site


def time_of(text: str) -> datetime:
    """Read a time with its zone, such as 2026-11-23T14:05:00Z; raises BadAddressError."""
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))  # "+" means a space in a query
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadAddressError("`since` must be a time such as 2026-11-23T14:05:00Z.")


def records(session: Session, site: Site, since: datetime | None, position: StreamPosition) -> list[Record]:
    """Return the records from a position on, at most MOST comments; the last one says how to go on."""
    result: list[Record] = []
    room = MOST
    threads = _threads(session, site.id, since, position)
    for thread in threads:
        after = position.comment_id if thread.id == position.thread_id else 0
        if not after:
            result.append(_thread(session, thread, with_removed=since is not None))
        comments = _comments(session, thread, after=after, room=room)
        result += comments[:room]
        if len(comments) > room:
            last = int(comments[room - 1]["id"]) if room else after
            return [*result, _more(position, thread.id, last)]
        room -= len(comments)
        if not room and thread is not threads[-1]:
            return [*result, _more(position, thread.id + 1, 0)]
    if len(threads) == MOST:
        return [*result, _more(position, threads[-1].id + 1, 0)]
    return [*result, {"type": "end", "since": public_records.time(position.started - OVERLAP)}]


def _more(position: StreamPosition, thread_id: int, comment_id: int) -> Record:
    return {"type": "more", "after": str(StreamPosition(position.started, thread_id, comment_id))}


def _threads(
    session: Session, site_id: int, since: datetime | None, position: StreamPosition
) -> Sequence[Thread]:
    """Return threads by their ids, from that of the position on."""
    query = select(Thread).where(Thread.site_id == site_id, Thread.id >= position.thread_id)
    if since is None:
        shown = exists().where(Comment.thread_id == Thread.id, Comment.shown)
        query = query.where(or_(Thread.approved_count > 0, shown))
    else:
        query = query.where(func.coalesce(Thread.changed_at, Thread.created_at) >= since)
    return session.scalars(query.order_by(Thread.id).limit(MOST)).all()


def _thread(session: Session, thread: Thread, *, with_removed: bool) -> Record:
    record: Record = {
        "type": "thread",
        "id": str(thread.id),
        "url": thread.url,
        "title": thread.title if thread.approved_count else None,
        "count": thread.approved_count,
    }
    if with_removed:
        was_public = exists().where(Decision.comment_id == Comment.id, Decision.before == Status.APPROVED)
        removed = select(Comment.id).where(
            Comment.thread_id == thread.id, Comment.status != Status.APPROVED, was_public
        )
        ids = session.scalars(removed.order_by(Comment.id.desc()).limit(MOST_REMOVED))
        record["removed"] = [str(number) for number in ids]
    return record


def _comments(session: Session, thread: Thread, *, after: int, room: int) -> list[Record]:
    """Return a thread's comments after an id, and one more than there is room for if there is one."""
    query = queries.comments().where(Comment.thread_id == thread.id, Comment.shown, Comment.id > after)
    views = thread_pages.views_of(session, query.order_by(Comment.id).limit(room + 1))
    about = {"type": "comment", "thread": str(thread.id)}
    return [{**about, **public_records.comment(view, url=thread.url)} for view in views]
