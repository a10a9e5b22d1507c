"""Lists a site's threads; closes, slows and titles them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from commentsvc.domain import actions, fields
from commentsvc.domain.notifications import events
from commentsvc.domain.threads import threads, titles
from commentsvc.errors import BadAddressError, InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import Comment, Event, Site, Status, Thread, ThreadAlias

PAGE = 50
SLOWEST = 24 * 3600
"""The longest pause of slow mode, in seconds."""
_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread in the list."""

    thread: Thread
    waiting: int
    """Its held comments, of the site's latest thousand."""

    @property
    def name(self) -> str:
        """The article's title, or else its URL."""
        return self.thread.title or self.thread.url


@dataclass(frozen=True, slots=True)
class ThreadListing:
    """One page of a site's threads, newest first."""

    rows: list[ThreadRow]
    next_before: int | None
    total: int


def listing(session: Session, site_id: int, *, search: str = "", before: int | None = None) -> ThreadListing:
    """Return a page of threads whose title or URL contains `search`."""
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
    page_threads = list(session.scalars(query))
    waiting = waiting_in(session, site_id)
    rows = [ThreadRow(thread, waiting.get(thread.id, 0)) for thread in page_threads[:PAGE]]
    return ThreadListing(rows, page_threads[PAGE - 1].id if len(page_threads) > PAGE else None, total)


def waiting_in(session: Session, site_id: int) -> dict[int, int]:
    """Return each thread's number of held comments, of the site's latest."""
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
    """Return a thread; raises NotFoundError with the message of a missing page."""
    thread = session.get(Thread, thread_id)
    if thread is None:
        raise NotFoundError
    return thread


def close(
    session: Session, thread: Thread, *, on: datetime | None, moderator_id: int | None, at: datetime
) -> None:
    """Close a thread to comments at `on`, past or future; None leaves it to the site's rule.

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
    if on is not None and on <= at:
        events.record_on_site(session, Event.CLOSED, thread.site_id, thread.id, at=at)


def slow(
    session: Session, thread: Thread, seconds: int | None, *, moderator_id: int | None, at: datetime
) -> None:
    """Set the pause between two comments of one person; None ends slow mode. Needs `begin_write`; the caller commits.

    Raises InvalidFieldsError on `seconds`.
    """
    if seconds is not None and not 1 <= seconds <= SLOWEST:
        raise InvalidFieldsError(
            {"seconds": gettext("Between 1 and %(number)s seconds") % {"number": SLOWEST}}
        )
    words = f"Slow mode of {threads.seconds(seconds)} for" if seconds else "Slow mode ended for"
    _note(session, thread, "thread.slow", words, moderator_id, at, slow_seconds=thread.slow_seconds)
    thread.slow_seconds = seconds
    _show(session, thread)


def rename_title(
    session: Session, thread: Thread, title: str, *, moderator_id: int | None, at: datetime
) -> None:
    """Set a title that stays; an empty one lets the article's page provide it again.

    Needs `begin_write`; the caller commits.
    """
    threads.lock(session, thread.id)
    session.refresh(thread)
    cleaned = fields.title(title)
    words = f"Gave the title “{cleaned[:120]}” to" if cleaned else "Reset the title of"
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
    """Return a time in the form that an action's facts store."""
    return at.isoformat() if at else None


def name_of(thread: Thread) -> str:
    """Return the name of a thread in a sentence of the log."""
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
    """Return a thread's earlier keys, the latest first; a hundred at most."""
    query = select(ThreadAlias.key).where(ThreadAlias.thread_id == thread_id)
    return list(session.scalars(query.order_by(ThreadAlias.id.desc()).limit(100)))


def wanted(session: Session, site: Site, typed: str) -> Thread:
    """Return the thread of a typed number or URL; raises InvalidFieldsError on `into`."""
    typed = typed.strip()
    if (number := fields.whole_number(typed)) is not None:
        thread = session.get(Thread, number)
    else:
        try:
            thread = threads.find(session, threads.address_on(site, typed))
        except BadAddressError as error:
            raise InvalidFieldsError({"into": str(error)}) from None
    if thread is None or thread.site_id != site.id:
        raise InvalidFieldsError({"into": gettext("This site has no such thread.")})
    return thread
