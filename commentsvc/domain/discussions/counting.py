"""How many comments many articles have, in one query."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, literal, or_, select, union_all
from sqlalchemy.orm import Session

from commentsvc.domain.discussions.lookup import Candidate
from commentsvc.domain.discussions.threads import Address
from commentsvc.models import Thread, ThreadAlias


def counts(session: Session, addresses: Sequence[Address]) -> list[int]:
    """Return how many approved comments each thread has, in one query."""
    of_site: dict[int, list[Address]] = {}
    for address in addresses:
        of_site.setdefault(address.site.id, []).append(address)
    if not of_site:
        return []

    def named(table: type[Thread] | type[ThreadAlias]) -> ColumnElement[bool]:
        return or_(
            *(and_(table.site_id == site_id, _named(table, some)) for site_id, some in of_site.items())
        )

    by_alias = (
        select(
            ThreadAlias.site_id,
            ThreadAlias.key,
            ThreadAlias.match_key,
            Thread.id,
            literal(1).label("is_alias"),
            Thread.approved_count,
        )
        .join(Thread, Thread.id == ThreadAlias.thread_id)
        .where(named(ThreadAlias))
    )
    by_key = select(
        Thread.site_id,
        Thread.key,
        Thread.match_key,
        Thread.id,
        literal(0).label("is_alias"),
        Thread.approved_count,
    ).where(named(Thread))
    count_of: dict[int, int] = {}
    candidates: dict[tuple[int, str], set[Candidate]] = {}
    for site_id, key, match, thread_id, is_alias, count in session.execute(union_all(by_key, by_alias)):
        count_of[thread_id] = count
        for form in {key, match or key}:
            candidates.setdefault((site_id, form), set()).add(Candidate(thread_id, key, bool(is_alias)))
    return [count_of.get(_chosen(address, candidates), 0) for address in addresses]


def _named(table: type[Thread] | type[ThreadAlias], some: Sequence[Address]) -> ColumnElement[bool]:
    asked = [address.stored_as for address in some]
    keys = {given[name] for given in asked for name in ("key", "earlier")}
    return or_(table.key.in_(keys), table.match_key.in_({given["match"] for given in asked}))


def _chosen(address: Address, candidates: dict[tuple[int, str], set[Candidate]]) -> int:
    found = {
        one for form in address.stored_as.values() for one in candidates.get((address.site.id, form), set())
    }
    return address.choose(found) or 0
