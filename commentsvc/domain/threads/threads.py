"""Threads: which article a page belongs to, whether it accepts comments, and what changes with each comment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Boolean, Integer, bindparam, case, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc import durations
from commentsvc.db.rows import change_rows
from commentsvc.db.session import Base, require_write
from commentsvc.domain import article_urls, fields
from commentsvc.domain.sites import known_sites, previews
from commentsvc.domain.threads import matching, thread_notices
from commentsvc.domain.threads.matching import Candidate
from commentsvc.errors import BadAddressError, ThreadClosedError, UnknownOriginError
from commentsvc.ignored_parameters import keeps_any
from commentsvc.match_keys import NAMED
from commentsvc.messages import gettext
from commentsvc.models import Comment, Likes, Policy, Site, Thread, TitleSource

ID_LONGEST = 300
ANNOUNCED = timedelta(days=14)
"""How long before its closing date a thread announces it to readers."""
TITLE_TRIES = 3
"""Attempts, one a day, to read an article's title from its page after a comment has appeared."""
_IN_QUERY = 500

_CANDIDATE = matching.candidates(bindparam("site_id"))
_CANDIDATES = select(Thread, _CANDIDATE).join(_CANDIDATE, Thread.id == _CANDIDATE.c.thread_id)
# On the table, not the mapped class: every post runs it, and a decision on many comments flushes once, at its end.
_THREAD = Base.metadata.tables["thread"]
_t = _THREAD.c
_CHANGED = (
    update(_THREAD)
    .where(_t.id == bindparam("thread_id"))
    .values(
        version=_t.version + bindparam("changes", type_=Integer()),
        approved_count=_t.approved_count + bindparam("more", type_=Integer()),
        title_tries=case((bindparam("asks_title", type_=Boolean()), TITLE_TRIES), else_=_t.title_tries),
    )
    .returning(_t.approved_count)
)


class Closable(Protocol):
    """What decides whether a thread is open."""

    @property
    def created_at(self) -> datetime: ...
    @property
    def closed_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class ThreadAddress:
    """The address of a thread, whether or not the thread exists yet."""

    site: Site
    key: str
    """The key under which a new thread is stored."""
    url: str
    """The article's URL, normalised."""
    earlier: str = ""
    """The key that earlier releases derived from the same URL, if it differs."""
    preview_origin: str = ""
    """The origin of the page that asks, if it is a preview of the site."""
    is_read_only: bool = False
    """Whether nobody may comment from that page."""

    @property
    def likes(self) -> Likes:
        """How readers of the page that asks may vote."""
        return Likes.OFF if self.is_read_only else self.site.likes

    @property
    def match(self) -> str:
        """`match_key` of the key: the form in which addresses are compared."""
        return article_urls.match_key(self.key, self.site.ignored_parameters or "")

    @property
    def stored_as(self) -> dict[str, str]:
        """The parameters of `matching.candidates`."""
        return {"key": self.key, "earlier": self.earlier or self.key, "match": self.match}

    def choose(self, candidates: Iterable[Candidate]) -> int | None:
        """Return the id of the candidate thread that belongs to this address."""
        return matching.choose(
            candidates, key=self.key, earlier=self.earlier or self.key, hosts=lambda: hosts_of(self.site)
        )


def locate(session: Session, *, url: str, canonical: str = "", page_id: str = "") -> ThreadAddress:
    """Return the address of a page's thread.

    `url` is the page's own URL and decides the site. `canonical` is the URL that the page declares, used only if it is
    on the same site. `page_id` is the page's own id of its thread and overrides both. So a preview that declares the
    published article shows the article's thread. Raises BadAddressError or UnknownOriginError.
    """
    origin = article_urls.page_origin(url)
    site = known_sites.with_origin(session, origin)
    preview = None if site else previews.of_page(session, origin)
    if preview:
        site = preview.site
    if site is None:
        raise UnknownOriginError(origin)
    address = address_on(site, canonical if canonical and is_on(site, canonical) else url, page_id=page_id)
    if preview is None:
        return address
    return replace(address, preview_origin=origin, is_read_only=not preview.takes_comments)


def address_on(site: Site, url: str, *, page_id: str = "") -> ThreadAddress:
    """Return the address of an article on a known site; raises BadAddressError."""
    ignored = site.ignored_parameters or ""
    article = article_urls.canonical(url, ignored)
    if not page_id:
        key = article_urls.thread_key(article)
        return ThreadAddress(site, key, article, "" if keeps_any(ignored) else article_urls.earlier_key(url))
    if len(page_id) > ID_LONGEST or not page_id.isprintable():
        text = gettext("A thread id may have at most %(number)s characters, all of them printable.")
        raise BadAddressError(text % {"number": ID_LONGEST})
    return ThreadAddress(site, f"{NAMED}{page_id}", article)


def hosts_of(site: Site) -> set[str]:
    """Return the hosts, with their ports, of a site's registered origins."""
    return {item.origin.partition("://")[2] for item in site.origins}


def find(session: Session, address: ThreadAddress) -> Thread | None:
    """Return the thread at `address`, by its current key or an earlier one; None if there is no comment yet."""
    given = {"site_id": address.site.id, **address.stored_as}
    rows = session.execute(_CANDIDATES, given).all()
    chosen = address.choose(Candidate(row.thread_id, row.key, bool(row.is_alias)) for row in rows)
    return next((row.Thread for row in rows if row.thread_id == chosen), None)


def is_same(session: Session, first: ThreadAddress, second: ThreadAddress) -> bool:
    """Whether two pages share a thread: by their addresses, or because their threads were merged or moved."""
    if first.site.id != second.site.id:
        return False
    if first.key == second.key:
        return True
    ids = {thread.id if thread else None for thread in (find(session, first), find(session, second))}
    return ids == {None} and first.match == second.match if None in ids else len(ids) == 1


def find_or_create(
    session: Session,
    address: ThreadAddress,
    *,
    title: str | None,
    at: datetime,
    source: TitleSource = TitleSource.BROWSER,
) -> Thread:
    """Return the thread at `address`, created if needed; `title` and its `source` are only for a new one."""
    thread = find(session, address)
    if thread is None and _wait_for_others(session, address):
        thread = find(session, address)
    if thread is not None:
        return thread
    cleaned = fields.title(title)
    thread = Thread(
        site_id=address.site.id,
        key=address.key,
        match_key=address.match,
        url=address.url,
        title=cleaned,
        title_source=source if cleaned else None,
        created_at=at,
    )
    try:
        with session.begin_nested():
            session.add(thread)
    except IntegrityError:  # another writer was faster
        thread = find(session, address)
        if thread is None:
            raise
    return thread


def _wait_for_others(session: Session, address: ThreadAddress) -> bool:
    """Lock an article against a second new thread under another of its URLs; return whether that had to wait.

    Threads from earlier releases may share a `match_key`, so there is no unique constraint. SQLite has one writer
    anyway.
    """
    if session.get_bind().dialect.name == "sqlite":
        return False
    named = f"{address.site.id} {address.match}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(named, 0))))
    return True


def invalidate_site(session: Session, site_id: int) -> None:
    """Invalidate all cached pages of a site, because its addresses lead to other threads now."""
    change_rows(session, update(Site).where(Site.id == site_id).values(version=Site.version + 1))


def lock(session: Session, thread_id: int) -> None:
    """Lock a thread until this transaction ends; SQLite has one writer anyway."""
    session.execute(select(Thread.id).where(Thread.id == thread_id).with_for_update())


def lock_of(session: Session, comment: Comment, *fresh: str) -> None:
    """Lock a comment's thread, then read `fresh` fields of the comment again.

    While this waited, the comment may have moved to another thread.
    """
    locked = None
    while comment.thread_id != locked:
        locked = comment.thread_id
        lock(session, locked)
        session.refresh(comment, ["thread_id", *fresh])


def lock_all(session: Session, thread_ids: Iterable[int]) -> None:
    """Lock several threads, always in the same order, so that two callers cannot deadlock.

    Call it before changing more than one thread, or training the local filter on comments of more than one: the
    filter's rows are locked after the threads.
    """
    wanted = sorted(set(thread_ids))
    for at in range(0, len(wanted), _IN_QUERY):
        some = Thread.id.in_(wanted[at : at + _IN_QUERY])
        session.execute(select(Thread.id).where(some).order_by(Thread.id).with_for_update())


def lock_site(session: Session, site_id: int) -> None:
    """Lock all threads of a site, in the order of `lock_all`."""
    session.execute(select(Thread.id).where(Thread.site_id == site_id).order_by(Thread.id).with_for_update())


def require_open(site: Site, thread: Closable | None, *, at: datetime) -> None:
    """Raise ThreadClosedError, with a reason for readers, if the thread accepts no new comments."""
    reason = closed_reason(site, thread, at=at)
    if reason:
        raise ThreadClosedError(reason)


def closed_reason(site: Site, thread: Closable | None, *, at: datetime) -> str | None:
    """Return why the thread accepts no comments, as a sentence; None if it does.

    The thread's own closing date overrides the site's number of days, so an old article can be kept open.
    """
    if site.policy is Policy.CLOSED:
        return gettext("Comments are closed.")
    if thread is None:
        return None
    if thread.closed_at is not None:
        return thread_notices.closed_on(thread.closed_at) if at >= thread.closed_at else None
    days = site.close_after_days
    if days and at >= thread.created_at + timedelta(days=days):
        return thread_notices.closed_after(days)
    return None


def announcement(site: Site, thread: Thread | None, *, at: datetime) -> str | None:
    """Return what readers of an open thread need to know before they write, as sentences; None if nothing."""
    if thread is None or closed_reason(site, thread, at=at):
        return None
    sentences = []
    if thread.slow_seconds:
        sentences.append(durations.slow_mode(thread.slow_seconds))
    if thread.closed_at is not None and thread.closed_at - at <= ANNOUNCED:
        sentences.append(thread_notices.closes_on(thread.closed_at))
    return " ".join(sentences) or None


def changes_at(site: Site, thread: Thread | None, *, after: datetime) -> datetime | None:
    """Return when `closed_reason` or `announcement` will change by themselves; None for never."""
    if thread is None or site.policy is Policy.CLOSED:
        return None
    if thread.closed_at is not None:
        steps = [thread.closed_at - ANNOUNCED, thread.closed_at]
    elif site.close_after_days:
        steps = [thread.created_at + timedelta(days=site.close_after_days)]
    else:
        return None
    return min((step for step in steps if step > after), default=None)


def seconds(number: int) -> str:
    """Return a duration for the log, in English: "60 seconds"; from two minutes on, if exact, "5 minutes"."""
    if number >= 120 and number % 60 == 0:
        return f"{number // 60} minutes"
    return f"{number} second{'' if number == 1 else 's'}"


def mark_changed(
    session: Session, thread_id: int, *, approved: int = 0, changes: int = 1, asks_title: bool = True
) -> int:
    """Record visible changes and `approved` more comments (negative: fewer); return the thread's count.

    If there are more, the article's page is asked for its title again, unless `asks_title` is false.
    """
    asks = asks_title and approved > 0
    given = {"thread_id": thread_id, "more": approved, "changes": changes, "asks_title": asks}
    require_write(session)
    # By the connection: the session's work for mapped classes would take longer than the statement.
    return session.connection().execute(_CHANGED, given).scalar() or 0


def is_on(site: Site, url: str) -> bool:
    """Whether a page is on one of a site's registered origins."""
    try:
        origin = article_urls.page_origin(url)
    except BadAddressError:
        return False
    return any(item.origin == origin for item in site.origins)
