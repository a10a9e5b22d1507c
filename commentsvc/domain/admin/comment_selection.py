"""Comments that an operator selects by conditions or by number, counted first and then decided on as one Action."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.admin import bulk_decisions, queue, queue_query
from commentsvc.domain.admin.bulk_decisions import BulkResult
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.models import Comment, Status

SLICE = 1000
"""Comments per query."""

Progress = Callable[[int], object]
"""Called with the number of comments processed since its last call."""


@dataclass(frozen=True, slots=True)
class CommentSelection:
    """Comments of a site in some lists that pass the filters or, if there are numbers, that have one of these."""

    site_id: int
    tabs: tuple[Tab, ...]
    filters: Filters
    numbers: tuple[int, ...] = ()
    ceiling: int = 0
    """The highest id, so that comments which come later are not in it."""


def begin(
    session: Session, site_id: int, tabs: tuple[Tab, ...], filters: Filters, numbers: tuple[int, ...] = ()
) -> CommentSelection:
    """Return a selection of comments that exist now."""
    return CommentSelection(site_id, tabs, filters, numbers, queue.newest(session))


def ids(session: Session, selection: CommentSelection) -> Iterator[int]:
    """Yield the ids of the selected comments, list by list, each list newest first."""
    for tab in selection.tabs:
        if selection.numbers:
            yield from _numbered(session, selection, tab)
        else:
            yield from _matching(session, selection, tab)


def newest(session: Session, selection: CommentSelection, limit: int) -> list[int]:
    """Return the ids of the latest selected comments, newest first."""
    found: list[int] = []
    for tab in selection.tabs:
        one_list = ids(session, replace(selection, tabs=(tab,)))
        found += islice(one_list, limit)
    return sorted(found, reverse=True)[:limit]


def decide(
    session: Session,
    selection: CommentSelection,
    status: Status,
    *,
    moderator_id: int,
    at: datetime,
    progress: Progress,
) -> BulkResult:
    """Give the selected comments a status, as one Action that the admin view can undo. Commits after every batch."""
    if selection.numbers:
        begin_write(session)
        wanted = dict.fromkeys(ids(session, selection))
        outcome = bulk_decisions.decide(
            session, selection.site_id, wanted, status, moderator_id=moderator_id, at=at
        )
        session.commit()
        progress(outcome.changed)
        return outcome
    total = BulkResult()
    for tab in selection.tabs:
        after, is_done = None, False
        while not is_done:
            outcome = bulk_decisions.decide_matching(
                session,
                selection.site_id,
                tab,
                selection.filters,
                status,
                ceiling=selection.ceiling,
                after=after,
                moderator_id=moderator_id,
                at=at,
                action_id=total.action_id,
            )
            total.action_id = outcome.action_id
            total.changed += outcome.changed
            progress(outcome.changed)
            after, is_done = outcome.next_after, outcome.next_after is None
    return total


def _numbered(session: Session, selection: CommentSelection, tab: Tab) -> Iterator[int]:
    query = select(Comment.id).where(
        Comment.id.in_(selection.numbers),
        Comment.site_id == selection.site_id,
        Comment.status.in_(tab.statuses),
    )
    yield from session.scalars(query.order_by(Comment.id.desc())).all()


def _matching(session: Session, selection: CommentSelection, tab: Tab) -> Iterator[int]:
    after = None
    while True:
        part = queue_query.find(
            session,
            selection.site_id,
            tab,
            selection.filters,
            after=after,
            limit=SLICE,
            ceiling=selection.ceiling,
        )
        yield from part.ids
        after = part.next_after
        if after is None:
            return
