"""Walking a list of comments, newest first, so that a page costs the same in a list of ten and of a million.

A page looks at `LOOK` comments at most, in the order of an index, and keeps those that all filters let pass. Where
that does not fill it, it says where to look further.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, cast, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from commentsvc.domain.admin import search
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.errors import NotFoundError
from commentsvc.integrations import full_text
from commentsvc.models import Comment, Decision, Identity, Thread

LOOK = 5000
_BY_ID: tuple[Any, ...] = (Comment.id.desc(),)
_BY_DATE: tuple[Any, ...] = (Comment.created_at.desc(), Comment.id.desc())
GUESTS = "guest"
# Written into the query, not bound to it: only so do both engines see that the partial index fits.
_REPORTED: ColumnElement[bool] = literal_column(
    "comment.reports > 0 AND comment.status IN ('approved', 'held')"
)


@dataclass(frozen=True, slots=True)
class QueueSlice:
    """Comments that pass, newest first, and where the walk may go on."""

    ids: Sequence[int]
    next_after: int | None
    """None at the end of the list."""
    unfinished: bool = False
    """It stopped because it had looked at so many, not because the page was full."""


@dataclass(frozen=True, slots=True)
class QueryPath:
    """Where the walk leads along: ids in an index's order, and what each must pass besides."""

    ids: Any
    rest: Sequence[ColumnElement[bool]]
    order: Sequence[Any]


def find(
    session: Session,
    site_id: int,
    tab: Tab,
    filters: Filters,
    *,
    after: int | None,
    limit: int,
    ceiling: int | None = None,
) -> QueueSlice:
    """Return the next comments of a list after the one with the id `after`, of ids up to `ceiling`."""
    full_text.use_indexes(session)
    conditions = _conditions(session, site_id, tab, filters)
    if ceiling is not None:
        conditions["ceiling"] = Comment.id <= ceiling
    best: QueueSlice | None = None
    for way in _ways(session, site_id, tab, filters, conditions, after):
        along = _along(session, way, limit)
        if not along.unfinished:
            return along
        if best is None or (along.next_after or 0) < (best.next_after or 0):
            best = along
    assert best is not None  # noqa: S101 - there is always the list itself
    return best


def listed(site_id: int, tab: Tab, author: AuthorRef | None = None) -> Any:
    """Select the ids of a list, or of what one author has in it, in no order."""
    query = select(Comment.id).where(Comment.site_id == site_id, _in(tab))
    return query if author is None else query.where(author.condition())


def _in(tab: Tab) -> ColumnElement[bool]:
    return _REPORTED if tab is Tab.REPORTED else Comment.status == tab.statuses[0]


def _conditions(session: Session, site_id: int, tab: Tab, filters: Filters) -> dict[str, ColumnElement[bool]]:
    """Return what each part of the request asks of a comment."""
    results: dict[str, ColumnElement[bool]] = {"site": Comment.site_id == site_id, "tab": _in(tab)}
    if filters.article is not None:
        thread = session.get(Thread, filters.article)
        if thread is None or thread.site_id != site_id:
            raise NotFoundError("There is no such article on this site.")
        results["article"] = Comment.thread_id == filters.article
        if tab is not Tab.REPORTED:
            del results["site"]  # the article is the site's own; SQLite might walk all of its list instead
    if filters.author is not None:
        results["author"] = filters.author.condition()
    if filters.network is not None:
        near = aliased(Comment)
        hashed = select(near.network_hash).where(near.id == filters.network, near.site_id == site_id)
        results["network"] = Comment.network_hash == hashed.scalar_subquery()
    if filters.provider is not None:
        results["provider"] = _through(filters.provider)
    if filters.began is not None:
        results["since"] = Comment.created_at >= filters.began
    if filters.ended is not None:
        results["until"] = Comment.created_at < filters.ended
    if filters.reason is not None:
        results["reason"] = _because(filters.reason)
    return results


def _through(provider: str) -> ColumnElement[bool]:
    if provider == GUESTS:
        return Comment.commenter_id.is_(None)
    return full_text.one_by_one(
        select(Identity.id).where(
            Identity.commenter_id == Comment.commenter_id, Identity.provider == provider
        )
    )


def _because(check: str) -> ColumnElement[bool]:
    """A decision that gave the comment its present status names this check among its reasons."""
    named = cast(Decision.reasons, String).like(f'%"check": "{check.replace("_", "!_")}"%', escape="!")
    return full_text.one_by_one(
        select(Decision.id).where(Decision.comment_id == Comment.id, Decision.status == Comment.status, named)
    )


def _ways(
    session: Session,
    site_id: int,
    tab: Tab,
    filters: Filters,
    conditions: dict[str, ColumnElement[bool]],
    after: int | None,
) -> Iterator[QueryPath]:
    """Words lead by themselves; where they are frequent, the list they are looked for in does."""
    if filters.q is not None:
        wanted = search.prepare(session, site_id, filters.q)
        ids = search.newest(session, wanted, site_id, tab.statuses, below=after, limit=LOOK)
        if ids is not None:
            yield QueryPath(ids, list(conditions.values()), _BY_ID)
        conditions = {**conditions, "q": search.matches(session, wanted)}
    yield _list(tab, conditions, after)


def _list(tab: Tab, conditions: dict[str, ColumnElement[bool]], after: int | None) -> QueryPath:
    """Walk the index that fits best; there is one for each of these sets of conditions."""
    along, order = {"site", "tab"}, _BY_ID
    narrowing = [name for name in ("article", "author", "network") if name in conditions]
    if tab is not Tab.REPORTED and narrowing:
        along |= {narrowing[0]}
    elif tab is not Tab.REPORTED and "q" not in conditions and {"since", "until"} & set(conditions):
        along, order = along | {"since", "until"}, _BY_DATE
    lead = [condition for name, condition in conditions.items() if name in along]
    rest = [condition for name, condition in conditions.items() if name not in along]
    lead += _before(after, by_date=order is _BY_DATE)
    return QueryPath(select(Comment.id).where(*lead).order_by(*order).limit(LOOK), rest, order)


def _before(after: int | None, *, by_date: bool) -> list[ColumnElement[bool]]:
    """What comes after a comment on the way."""
    if after is None:
        return []
    if not by_date:
        return [Comment.id < after]
    last = aliased(Comment)
    moment = (
        select(last.created_at).where(last.id <= after).order_by(last.id.desc()).limit(1).scalar_subquery()
    )
    # The first condition is what lets the index begin there.
    return [Comment.created_at <= moment, or_(Comment.created_at < moment, Comment.id < after)]


def _along(session: Session, way: QueryPath, limit: int) -> QueueSlice:
    if not way.rest:
        ids = list(session.scalars(way.ids.limit(limit + 1)))
        return QueueSlice(ids[:limit], ids[limit - 1] if len(ids) > limit else None)
    window = way.ids.subquery()
    query = select(Comment.id).join(window, window.c.id == Comment.id).where(*way.rest)
    ids = list(session.scalars(query.order_by(*way.order).limit(limit + 1)))
    if len(ids) > limit:
        return QueueSlice(ids[:limit], ids[limit - 1])
    seen = list(session.scalars(way.ids))
    if len(seen) < LOOK:
        return QueueSlice(ids, None)
    return QueueSlice(ids, seen[-1], unfinished=True)
