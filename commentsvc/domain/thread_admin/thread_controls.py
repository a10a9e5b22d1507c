"""The list of a site's threads; whether, until when and how fast each takes comments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from commentsvc.domain import actions, fields
from commentsvc.domain.threads import threads, titles
from commentsvc.errors import BadAddressError, InvalidFieldsError, NotFoundError
from commentsvc.models import Comment, Site, Status, Thread, ThreadAlias

PAGE = 50
SLOWEST = 24 * 3600
"""Seconds that slow mode can ask people to wait."""
_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread in the list."""

    thread: Thread
    waiting: int
    """Comments that are held; no more than the last thousand of the site are looked at."""

    @property
    def name(self) -> str:
        """Its article's title, or else its address."""
        return self.thread.title or self.thread.url


@dataclass(frozen=True, slots=True)
class ThreadListing:
    """One page of a site's threads, newest first."""

    rows: list[ThreadRow]
    next_before: int | None
    total: int


def listing(session: Session, site_id: int, *, search: str = "", before: int | None = None) -> ThreadListing:
    """Return a page of threads whose title or address contains `search`."""
    mine = [Thread.site_id == site_id]
    if search:
        mine.append(
            or_(
                Thread.title.icontains(search, autoescape=True), Thread.url.icontains(search, autoescape=True)
            )
        )
    total = session.scalar(select(func.count()).select_from(Thread).where(*mine)) or 0
    query = select(Thread).where(*mine).order_by(Thread.id.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(Thread.id < before)
    result = list(session.scalars(query))
    waiting = waiting_in(session, site_id)
    rows = [ThreadRow(thread, waiting.get(thread.id, 0)) for thread in result[:PAGE]]
    return ThreadListing(rows, result[PAGE - 1].id if len(result) > PAGE else None, total)


def waiting_in(session: Session, site_id: int) -> dict[int, int]:
    """Return how many of the site's latest held comments each thread has."""
    latest = (
        select(Comment.thread_id)
        .where(Comment.site_id == site_id, Comment.status == Status.HELD)
        .order_by(Comment.id.desc())
        .limit(_COUNTED)
        .subquery()
    )
    query = select(latest.c.thread_id, func.count()).group_by(latest.c.thread_id)
    return {row[0]: row[1] for row in session.execute(query)}


def get(session: Session, thread_id: int) -> Thread:
    """Return a thread; raises NotFoundError in the words of a page that is not there."""
    thread = session.get(Thread, thread_id)
    if thread is None:
        raise NotFoundError
    return thread


def close(
    session: Session, thread: Thread, *, on: datetime | None, moderator_id: int | None, at: datetime
) -> None:
    """Let the thread take no comments from `on`, a time past or to come; None: until the site's rule closes it.

    Needs `begin_write`; the caller commits.
    """
    if on is None:
        kind, words = "thread.reopen", "Reopened"
    elif on <= at:
        kind, words = "thread.close", "Closed"
    else:
        kind, words = "thread.close", f"Set to close on {on:%-d %B %Y}:"
    _note(session, thread, kind, words, moderator_id, at, closed_at=iso(thread.closed_at))
    thread.closed_at = on
    _show(session, thread)


def slow(
    session: Session, thread: Thread, seconds: int | None, *, moderator_id: int | None, at: datetime
) -> None:
    """Make one person wait between two comments; None ends it. Needs `begin_write`; the caller commits.

    Raises InvalidFieldsError on `seconds`.
    """
    if seconds is not None and not 1 <= seconds <= SLOWEST:
        raise InvalidFieldsError({"seconds": f"Between 1 and {SLOWEST} seconds"})
    words = f"Slow mode of {threads.seconds(seconds)} for" if seconds else "Slow mode ended for"
    _note(session, thread, "thread.slow", words, moderator_id, at, slow_seconds=thread.slow_seconds)
    thread.slow_seconds = seconds
    _show(session, thread)


def rename_title(
    session: Session, thread: Thread, title: str, *, moderator_id: int | None, at: datetime
) -> None:
    """Give an article a title that stays; an empty one lets the article say it again.

    Needs `begin_write`; the caller commits.
    """
    threads.lock(session, thread.id)
    session.refresh(thread)
    cleaned = fields.title(title)
    words = f"Gave the title “{cleaned[:120]}” to" if cleaned else "Left the title to its article:"
    _note(
        session,
        thread,
        "thread.title",
        words,
        moderator_id,
        at,
        title=thread.title,
        source=thread.title_source,
    )
    titles.from_moderator(session, thread, title)


def iso(at: datetime | None) -> str | None:
    """Return a time as an action's facts keep it."""
    return at.isoformat() if at else None


def name_of(thread: Thread) -> str:
    """Return what a sentence in the log calls a thread."""
    return f"“{(thread.title or thread.url)[:120]}”"


def _note(
    session: Session,
    thread: Thread,
    kind: str,
    words: str,
    moderator_id: int | None,
    at: datetime,
    **before: object,
) -> None:
    actions.record(
        session,
        site_id=thread.site_id,
        moderator_id=moderator_id,
        kind=kind,
        summary=f"{words} {name_of(thread)}.",
        at=at,
        facts={"thread_id": thread.id, **before},
    )


def _show(session: Session, thread: Thread) -> None:
    session.flush()
    threads.mark_changed(session, thread.id)


def aliases(session: Session, thread_id: int) -> list[str]:
    """Return other keys under which a thread is found, the latest first; a hundred at most."""
    query = select(ThreadAlias.key).where(ThreadAlias.thread_id == thread_id)
    return list(session.scalars(query.order_by(ThreadAlias.id.desc()).limit(100)))


def wanted(session: Session, site: Site, typed: str) -> Thread:
    """Return the thread that somebody means by its number or an address; raises InvalidFieldsError on `into`."""
    typed = typed.strip()
    if (number := fields.whole_number(typed)) is not None:
        thread = session.get(Thread, number)
    else:
        try:
            thread = threads.find(session, threads.address_on(site, typed))
        except BadAddressError as error:
            raise InvalidFieldsError({"into": str(error)}) from None
    if thread is None or thread.site_id != site.id:
        raise InvalidFieldsError({"into": "This site has no thread there."})
    return thread


def update_rows(session: Session, table: Any, which: ColumnElement[bool], **values: Any) -> None:
    """Change rows in one statement; objects that the session holds of them keep what they had."""
    session.execute(update(table).where(which).values(**values).execution_options(synchronize_session=False))
