"""Checks for many threads in a few queries whether rendered pages are still current."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select, union_all

from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.match_keys import match_key
from commentsvc.models import Site, Thread, ThreadAlias


@dataclass(frozen=True, slots=True)
class VersionStamp:
    """The state of a thread and its site when a page was read."""

    site_id: int
    site_version: int
    key: str
    thread_id: int | None = None
    """None if there is no comment yet."""
    thread_version: int = 0
    match: str = ""
    """The key's `match_key`, if it differs."""

    @classmethod
    def read(cls, address: ThreadAddress, thread: Thread | None) -> VersionStamp:
        """Return the current state of `thread`, the thread at `address`."""
        site = address.site
        if thread is None:
            return cls(site.id, site.version, address.key, match=address.match)
        match = thread.match_key or match_key(thread.key)
        return cls(site.id, site.version, thread.key, thread.id, thread.version, match)

    @property
    def concerns(self) -> tuple[int, str]:
        """The site's id and the key that change signals use, the same for all of the thread's addresses."""
        return self.site_id, self.match or self.key


def unchanged(connection: Connection, stamps: Sequence[VersionStamp]) -> list[bool]:
    """Return for each stamp whether it is current; takes three queries, however many there are."""
    sites = _sites(connection, {stamp.site_id for stamp in stamps})
    threads = _threads(connection, {stamp.thread_id for stamp in stamps if stamp.thread_id is not None})
    begun = _begun(connection, [stamp for stamp in stamps if stamp.thread_id is None])
    return [
        sites.get(stamp.site_id) == stamp.site_version
        and (
            begun.isdisjoint({(stamp.site_id, stamp.key), stamp.concerns})
            if stamp.thread_id is None
            else threads.get(stamp.thread_id) == (stamp.site_id, stamp.key, stamp.thread_version)
        )
        for stamp in stamps
    ]


def _sites(connection: Connection, ids: set[int]) -> dict[int, int]:
    rows = connection.execute(select(Site.id, Site.version).where(Site.id.in_(ids)))
    return {row.id: row.version for row in rows}


def _threads(connection: Connection, ids: set[int]) -> dict[int, tuple[int, str, int]]:
    """Return sites, keys and versions, because SQLite reuses the ids of deleted threads."""
    if not ids:
        return {}
    rows = connection.execute(
        select(Thread.id, Thread.site_id, Thread.key, Thread.version).where(Thread.id.in_(ids))
    )
    return {row.id: (row.site_id, row.key, row.version) for row in rows}


def _begun(connection: Connection, stamps: Sequence[VersionStamp]) -> set[tuple[int, str]]:
    """Return which addresses without a thread have one now."""
    keys: dict[int, set[str]] = {}
    for stamp in stamps:
        keys.setdefault(stamp.site_id, set()).update({stamp.key, stamp.match or stamp.key})
    if not keys:
        return set()
    queries = [
        select(table.site_id, form).where(
            or_(*(and_(table.site_id == site_id, form.in_(some)) for site_id, some in keys.items()))
        )
        for table in (Thread, ThreadAlias)
        for form in (table.key, table.match_key)
    ]
    return {(site_id, form) for site_id, form in connection.execute(union_all(*queries)) if form is not None}
