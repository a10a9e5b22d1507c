"""Which of a site's threads an address leads to: by the key it is stored under, else by the form that is compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from sqlalchemy import Subquery, bindparam, literal, select, union_all

from commentsvc.db.session import Base
from commentsvc.match_keys import host_of

_THREAD, _ALIAS = (Base.metadata.tables[name] for name in ("thread", "thread_alias"))


class Candidate(NamedTuple):
    """A thread that an address may lead to, and the key under which it was found."""

    thread_id: int
    key: str
    is_alias: bool


def candidates(site_id: Any) -> Subquery:
    """Return a query for a Candidate's columns, a row for each way in which it is found.

    The parameters `key`, `earlier` and `match` are the address's.
    """
    queries = [
        select(thread_id.label("thread_id"), table.c.key, literal(is_alias).label("is_alias")).where(
            table.c.site_id == site_id, is_named
        )
        for table, thread_id, is_alias in ((_THREAD, _THREAD.c.id, 0), (_ALIAS, _ALIAS.c.thread_id, 1))
        # Not in one condition: SQLite would go through all threads of the site for it.
        for is_named in (
            table.c.key.in_([bindparam("key"), bindparam("earlier")]),
            table.c.match_key == bindparam("match"),
        )
    ]
    return union_all(*queries).subquery("candidate")


def choose(
    found: Iterable[Candidate], *, key: str, earlier: str, hosts: Callable[[], Collection[str]]
) -> int | None:
    """Return the thread that an address leads to.

    An article may have two threads since earlier releases took its addresses for two. Then each is found at the
    address it was stored under, as before, and the older one at every other. `hosts` returns the hosts of the site's
    origins: `www.blog.example` and `blog.example` are one only where both are the site's.
    """

    def rank(one: Candidate) -> tuple[bool, bool, bool, int]:
        return one.key != earlier, one.key != key and one.key != earlier, one.is_alias, one.thread_id

    for one in sorted(found, key=rank):
        if one.key in (key, earlier) or _is_one_host(host_of(one.key), host_of(key), hosts):
            return one.thread_id
    return None


def _is_one_host(stored: str, asked: str, hosts: Callable[[], Collection[str]]) -> bool:
    return stored == asked or {stored, asked} <= set(hosts())
