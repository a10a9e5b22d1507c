"""Reads a list of comments, newest first, at the same cost in a list of ten or a million.

A page reads at most `LOOK` comments in the order of an index and returns those that pass all filters. If they do not
fill the page, it returns where to continue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, func, literal_column, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from commentsvc.domain.admin import search
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.admin.queue_filters import Filters, KindFilter, Tab
from commentsvc.errors import NotFoundError
from commentsvc.integrations import full_text
from commentsvc.messages import gettext
from commentsvc.models import Comment, Decision, Identity, Kind, PendingEdit, Status, Thread

LOOK = 5000
_BY_ID: tuple[Any, ...] = (Comment.id.desc(),)
_BY_DATE: tuple[Any, ...] = (Comment.created_at.desc(), Comment.id.desc())
GUESTS = "guest"
_SMALL = frozenset({Tab.REPORTED, Tab.EDITS})
"""Lists that are short enough to be read whole, whatever narrows them."""
# A literal, not a bound parameter: otherwise the engines cannot tell that the partial index applies.
_REPORTED: ColumnElement[bool] = literal_column(
    "comment.reports > 0 AND comment.status IN ('approved', 'held')"
)


@dataclass(frozen=True, slots=True)
class QueueSlice:
    """Comments that pass the filters, newest first, and where to continue."""

    ids: Sequence[int]
    next_after: int | None
    """The cursor of the next slice; None at the end of the list."""
    unfinished: bool = False
    """It stopped because of the limit `LOOK`, not because the page was full."""


@dataclass(frozen=True, slots=True)
class QueryPath:
    """One way to read a list: ids in the order of an index, and the conditions to filter them by."""

    first: Callable[[int], Any]
    """Returns the query of so many ids."""
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
    """Return the next comments of a list after id `after`, with ids up to `ceiling`."""
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
    assert best is not None  # noqa: S101 - the list itself is always one of the paths
    return best


def listed(site_id: int, tab: Tab, author: AuthorRef | None = None) -> Any:
    """Select the ids of a list, or of one author's comments in it, in no order."""
    query = select(Comment.id).where(_of_site(site_id, tab), _in(tab))
    return query if author is None else query.where(author.condition())


def _of_site(site_id: int, tab: Tab) -> ColumnElement[bool]:
    # The sum hides the column from the planner: few edits wait, but SQLite would read all comments of the site.
    return (Comment.site_id + 0 if tab is Tab.EDITS else Comment.site_id) == site_id


def _in(tab: Tab) -> ColumnElement[bool]:
    if tab is Tab.REPORTED:
        return _REPORTED
    if tab is Tab.EDITS:
        is_approved = func.coalesce(Comment.status, "") == Status.APPROVED  # hidden in the same way
        return and_(Comment.id.in_(select(PendingEdit.comment_id)), is_approved)
    return Comment.status.in_(tab.statuses) if tab is Tab.ALL else Comment.status == tab.statuses[0]


def _conditions(session: Session, site_id: int, tab: Tab, filters: Filters) -> dict[str, ColumnElement[bool]]:
    """Return the conditions that the filters set, by name."""
    conditions: dict[str, ColumnElement[bool]] = {"site": _of_site(site_id, tab), "tab": _in(tab)}
    if filters.article is not None:
        thread = session.get(Thread, filters.article)
        if thread is None or thread.site_id != site_id:
            raise NotFoundError(gettext("There is no such article on this site."))
        conditions["article"] = Comment.thread_id == filters.article
        if tab not in _SMALL:
            # The article belongs to the site; SQLite might scan the site's list instead.
            del conditions["site"]
    if filters.author is not None:
        conditions["author"] = filters.author.condition()
    if filters.network is not None:
        near = aliased(Comment)
        hashed = select(near.network_hash).where(near.id == filters.network, near.site_id == site_id)
        conditions["network"] = Comment.network_hash == hashed.scalar_subquery()
    if filters.kind is not None:
        is_comment = filters.kind is KindFilter.COMMENT
        conditions["kind"] = Comment.kind == Kind.COMMENT if is_comment else Comment.kind != Kind.COMMENT
    if filters.provider is not None:
        conditions["provider"] = _through(filters.provider)
    if filters.began is not None:
        conditions["since"] = Comment.created_at >= filters.began
    if filters.ended is not None:
        conditions["until"] = Comment.created_at < filters.ended
    if filters.reason is not None:
        conditions["reason"] = _because(filters.reason)
    return conditions


def _through(provider: str) -> ColumnElement[bool]:
    if provider == GUESTS:
        return Comment.commenter_id.is_(None)
    return full_text.one_by_one(
        select(Identity.id).where(
            Identity.commenter_id == Comment.commenter_id, Identity.provider == provider
        )
    )


def _because(check: str) -> ColumnElement[bool]:
    """Select comments whose current status comes from a decision that names this check."""
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
    """Yield the full-text index for rare words, then the list itself, which is faster for frequent ones."""
    if filters.q is not None:
        wanted = search.prepare(session, site_id, filters.q)
        ids = search.newest(session, wanted, site_id, tab.statuses, below=after, limit=LOOK)
        if ids is not None:
            yield QueryPath(ids.limit, list(conditions.values()), _BY_ID)
        conditions = {**conditions, "q": search.matches(session, wanted)}
    yield _list(tab, conditions, after)


def _list(tab: Tab, conditions: dict[str, ColumnElement[bool]], after: int | None) -> QueryPath:
    """Return the path along the best index; there is one for each of these sets of conditions."""
    along, order = {"site", "tab"}, _BY_ID
    narrowing = [name for name in ("article", "author", "network") if name in conditions]
    if tab not in _SMALL and narrowing:
        along |= {narrowing[0]}
    elif tab not in _SMALL and "q" not in conditions and {"since", "until"} & set(conditions):
        along, order = along | {"since", "until"}, _BY_DATE
    lead = [condition for name, condition in conditions.items() if name in along]
    rest = [condition for name, condition in conditions.items() if name not in along]
    lead += _before(after, by_date=order is _BY_DATE)
    if tab is not Tab.ALL:
        return QueryPath(select(Comment.id).where(*lead).order_by(*order).limit, rest, order)
    lead.remove(conditions["tab"])
    columns = (Comment.id,) if order is _BY_ID else (Comment.id, Comment.created_at)
    lists = [select(*columns).where(*lead, Comment.status == one) for one in tab.statuses]
    return QueryPath(partial(_merged, lists, order), rest, order)


def _merged(lists: Sequence[Any], order: Sequence[Any], limit: int) -> Any:
    """Select the first ids of several lists; each is read along its index, which has the status before the id."""
    parts = union_all(*(select(one.order_by(*order).limit(limit).subquery()) for one in lists))
    return parts.order_by(*(parts.selected_columns[column.element.name].desc() for column in order)).limit(
        limit
    )


def _before(after: int | None, *, by_date: bool) -> list[ColumnElement[bool]]:
    """Return the conditions for comments after `after` in this order."""
    if after is None:
        return []
    if not by_date:
        return [Comment.id < after]
    last = aliased(Comment)
    moment = (
        select(last.created_at).where(last.id <= after).order_by(last.id.desc()).limit(1).scalar_subquery()
    )
    # The first condition lets the index start there.
    return [Comment.created_at <= moment, or_(Comment.created_at < moment, Comment.id < after)]


def _along(session: Session, way: QueryPath, limit: int) -> QueueSlice:
    if not way.rest:
        ids = list(session.scalars(way.first(limit + 1)))
        return QueueSlice(ids[:limit], ids[limit - 1] if len(ids) > limit else None)
    window = way.first(LOOK).subquery()
    query = select(Comment.id).join(window, window.c.id == Comment.id).where(*way.rest)
    ids = list(session.scalars(query.order_by(*way.order).limit(limit + 1)))
    if len(ids) > limit:
        return QueueSlice(ids[:limit], ids[limit - 1])
    seen = list(session.scalars(way.first(LOOK)))
    if len(seen) < LOOK:
        return QueueSlice(ids, None)
    return QueueSlice(ids, seen[-1], unfinished=True)
