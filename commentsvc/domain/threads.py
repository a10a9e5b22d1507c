"""Threads: which article a page means, whether it takes comments, and what changes with each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.domain import addresses, fields, sites
from commentsvc.errors import BadAddressError, ThreadClosedError
from commentsvc.models import Policy, Site, Thread

ID_LONGEST = 300


@dataclass(frozen=True)
class Address:
    """Where a thread belongs, whether or not it exists yet."""

    site: Site
    key: str
    url: str


def locate(session: Session, *, url: str, canonical: str = "", page_id: str = "") -> Address:
    """Find which thread a page means.

    `url` is the page's own address and decides the site. `canonical` is what the page says of itself,
    believed only where it lies on the same site. `page_id` is the page's own name for its thread, stronger than both.
    Raises BadAddressError or UnknownOriginError.
    """
    site = sites.by_origin(session, addresses.origin_of(url))
    return address_on(site, canonical if canonical and _is_on(site, canonical) else url, page_id=page_id)


def address_on(site: Site, url: str, *, page_id: str = "") -> Address:
    """Return the address of an article whose site is known; raises BadAddressError."""
    article = addresses.canonical(url)
    if not page_id:
        return Address(site, addresses.thread_key(article), article)
    if len(page_id) > ID_LONGEST or not page_id.isprintable():
        raise BadAddressError(f"A thread id has at most {ID_LONGEST} printable characters.")
    return Address(site, f"id:{page_id}", article)


def find(session: Session, address: Address) -> Thread | None:
    """Return the thread at `address`, or None while nobody has written there."""
    return session.scalar(select(Thread).where(Thread.site_id == address.site.id, Thread.key == address.key))


def find_or_create(session: Session, address: Address, *, title: str | None, at: datetime) -> Thread:
    """Return the thread at `address`, new where there was none; only a new one takes `title`."""
    thread = find(session, address)
    if thread is not None:
        return thread
    thread = Thread(
        site_id=address.site.id, key=address.key, url=address.url, title=fields.title(title), created_at=at
    )
    try:
        with session.begin_nested():
            session.add(thread)
    except IntegrityError:  # somebody else was first
        thread = find(session, address)
        if thread is None:
            raise
    return thread


def lock(session: Session, thread_id: int) -> None:
    """Let no other writer into the thread until this transaction ends; SQLite has one writer anyway."""
    session.execute(select(Thread.id).where(Thread.id == thread_id).with_for_update())


def require_open(site: Site, thread: Thread | None, *, at: datetime) -> None:
    """Raise ThreadClosedError where no new comment is taken, with the reason a reader is shown."""
    reason = closed_reason(site, thread, at=at)
    if reason:
        raise ThreadClosedError(reason)


def closed_reason(site: Site, thread: Thread | None, *, at: datetime) -> str | None:
    """Return why the thread takes no comments, in a sentence; None while it does."""
    if site.policy is Policy.CLOSED:
        return "Comments are closed."
    days = site.close_after_days
    if days and thread is not None and at > thread.created_at + timedelta(days=days):
        return f"Comments closed after {days} days." if days > 1 else "Comments closed after one day."
    return None


def changed(session: Session, thread_id: int, *, approved: int = 0) -> None:
    """Note a visible change: `approved` comments more (or, negative, fewer)."""
    session.execute(
        update(Thread)
        .where(Thread.id == thread_id)
        .values(version=Thread.version + 1, approved_count=Thread.approved_count + approved)
        .execution_options(synchronize_session=False)
    )


def _is_on(site: Site, url: str) -> bool:
    try:
        origin = addresses.origin_of(url)
    except BadAddressError:
        return False
    return any(item.origin == origin for item in site.origins)
