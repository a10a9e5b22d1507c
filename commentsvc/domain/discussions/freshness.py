"""Whether what was read of a thread is still what the database has, asked in one go for many threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select, union_all

from commentsvc.domain.discussions.threads import Address
from commentsvc.models import Site, Thread, ThreadAlias


@dataclass(frozen=True, slots=True)
class Stamp:
    """The state of a thread and its site at a moment."""

    site_id: int
    site_version: int
    key: str
    thread_id: int | None = None
    """None while nobody has written there."""
    thread_version: int = 0

    @classmethod
    def of(cls, address: Address, thread: Thread | None) -> Stamp:
        """Return the state that `thread`, which lies at `address`, was read in."""
        site = address.site
        if thread is None:
            return cls(site.id, site.version, address.key)
        return cls(site.id, site.version, thread.key, thread.id, thread.version)


def unchanged(connection: Connection, stamps: Sequence[Stamp]) -> list[bool]:
    """Say of each state whether it still holds; in three queries, however many there are."""
    sites = _sites(connection, {one.site_id for one in stamps})
    threads = _threads(connection, {one.thread_id for one in stamps if one.thread_id is not None})
    begun = _begun(connection, [one for one in stamps if one.thread_id is None])
    return [
        sites.get(one.site_id) == one.site_version
        and (
            (one.site_id, one.key) not in begun
            if one.thread_id is None
            else threads.get(one.thread_id) == (one.site_id, one.key, one.thread_version)
        )
        for one in stamps
    ]


def _sites(connection: Connection, ids: set[int]) -> dict[int, int]:
    rows = connection.execute(select(Site.id, Site.version).where(Site.id.in_(ids)))
    return {row.id: row.version for row in rows}


def _threads(connection: Connection, ids: set[int]) -> dict[int, tuple[int, str, int]]:
    """Return where threads lie, and their versions: SQLite gives the number of one that is gone to another."""
    if not ids:
        return {}
    rows = connection.execute(
        select(Thread.id, Thread.site_id, Thread.key, Thread.version).where(Thread.id.in_(ids))
    )
    return {row.id: (row.site_id, row.key, row.version) for row in rows}


def _begun(connection: Connection, stamps: Sequence[Stamp]) -> set[tuple[int, str]]:
    """Return which of the places where nobody had written have a thread now."""
    keys: dict[int, set[str]] = {}
    for one in stamps:
        keys.setdefault(one.site_id, set()).add(one.key)
    if not keys:
        return set()
    queries = [
        select(table.site_id, table.key).where(
            or_(*(and_(table.site_id == site_id, table.key.in_(some)) for site_id, some in keys.items()))
        )
        for table in (Thread, ThreadAlias)
    ]
    return {(site_id, key) for site_id, key in connection.execute(union_all(*queries))}
