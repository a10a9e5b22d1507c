"""Finds the thread of an address: by the key it is stored under, else by `match_key`, the form for comparisons."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from sqlalchemy import Subquery, bindparam, literal, select, union_all

from commentsvc.db.session import Base
from commentsvc.match_keys import host_of

_THREAD, _ALIAS = (Base.metadata.tables[name] for name in ("thread", "thread_alias"))


class Candidate(NamedTuple):
    """A thread that may belong to an address, and the key that matched."""

    thread_id: int
    key: str
    is_alias: bool


def candidates(site_id: Any) -> Subquery:
    """Return a query for Candidates' columns, with one row per match.

    The parameters `key`, `earlier` and `match` come from `ThreadAddress.stored_as`.
    """
    queries = [
        select(thread_id.label("thread_id"), table.c.key, literal(is_alias).label("is_alias")).where(
            table.c.site_id == site_id, is_named
        )
        for table, thread_id, is_alias in ((_THREAD, _THREAD.c.id, 0), (_ALIAS, _ALIAS.c.thread_id, 1))
        # Separate queries: with one OR condition SQLite would scan all threads of the site.
        for is_named in (
            table.c.key.in_([bindparam("key"), bindparam("earlier")]),
            table.c.match_key == bindparam("match"),
        )
    ]
    return union_all(*queries).subquery("candidate")


def choose(
    matches: Iterable[Candidate], *, key: str, earlier: str, hosts: Callable[[], Collection[str]]
) -> int | None:
    """Return the id of the thread that belongs to an address.

    An article may have two threads, because earlier releases distinguished addresses that are equal now. Then the
    address that each was stored under leads to it, as before, and every other address to the older one. `hosts`
    returns the hosts of the site's origins: `www.blog.example` and `blog.example` are equal only if the site has both.
    """

    def rank(candidate: Candidate) -> tuple[bool, bool, bool, int]:
        return (
            candidate.key != earlier,
            candidate.key != key and candidate.key != earlier,
            candidate.is_alias,
            candidate.thread_id,
        )

    for candidate in sorted(matches, key=rank):
        if candidate.key in (key, earlier) or _is_one_host(host_of(candidate.key), host_of(key), hosts):
            return candidate.thread_id
    return None


def _is_one_host(stored: str, asked: str, hosts: Callable[[], Collection[str]]) -> bool:
    return stored == asked or {stored, asked} <= set(hosts())
