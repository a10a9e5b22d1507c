"""How many comments many articles have, in one query."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, or_, select, union_all
from sqlalchemy.orm import Session

from commentsvc.domain.discussions.threads import Address
from commentsvc.models import Thread, ThreadAlias


def counts(session: Session, addresses: Sequence[Address]) -> list[int]:
    """Return how many approved comments each thread has, in one query."""
    keys: dict[int, set[str]] = {}
    for address in addresses:
        keys.setdefault(address.site.id, set()).add(address.key)
    if not keys:
        return []

    def named(table: type[Thread] | type[ThreadAlias]) -> ColumnElement[bool]:
        return or_(*(and_(table.site_id == site_id, table.key.in_(some)) for site_id, some in keys.items()))

    by_alias = (
        select(ThreadAlias.site_id, ThreadAlias.key, Thread.approved_count)
        .join(Thread, Thread.id == ThreadAlias.thread_id)
        .where(named(ThreadAlias))
    )
    by_key = select(Thread.site_id, Thread.key, Thread.approved_count).where(named(Thread))
    rows = session.execute(union_all(by_key, by_alias))
    found = {(site_id, key): count for site_id, key, count in rows}
    return [found.get((address.site.id, address.key), 0) for address in addresses]
