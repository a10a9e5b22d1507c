"""The moderation queue: a page of a site's comments, the size of each list, and the context of one comment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.domain.admin import queue_edits, queue_entries, queue_query
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.admin.queue_edits import FormerText
from commentsvc.domain.admin.queue_entries import DecisionSummary, QueueEntry
from commentsvc.domain.admin.queue_filters import Filters, Tab
from commentsvc.errors import NotFoundError
from commentsvc.integrations import full_text
from commentsvc.messages import gettext
from commentsvc.models import Comment, Decision, Status, Thread

PAGE = 25
COUNTED = 1000
"""Counts stop here: a million spam comments must not slow the page."""
HISTORY = 50
EARLIER = 10
"""Other comments by the same author, shown beside one of them."""


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of a list, newest first."""

    entries: list[QueueEntry]
    next_after: int | None
    """The cursor of the next page; None on the last one."""
    unfinished: bool = False
    """More comments may pass the filters, but the limit of reading is reached."""
    matching: int | None = None
    """Number of comments that pass the filters; `COUNTED` means at least that many. None if counting
    takes too long, or without filters: see `counts`."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The context of a comment: its parent, and its author's other comments."""

    parent: QueueEntry | None
    earlier: list[QueueEntry]
    counts: dict[Tab, int]
    """Number of the author's comments on this site, by list; `COUNTED` means at least that many."""
    thread: Thread


def page(
    session: Session,
    site_id: int,
    tab: Tab | Status,
    filters: Filters | None = None,
    *,
    after: int | None = None,
) -> QueuePage:
    """Return a page of a site's list, with ids after `after`."""
    wanted, tab = filters or Filters(), Tab(tab)
    queue_slice = queue_query.find(session, site_id, tab, wanted, after=after, limit=PAGE)
    matching: int | None = len(queue_slice.ids)
    if queue_slice.next_after is not None or after is not None:
        matching = _matching(session, site_id, tab, wanted) if wanted.arguments() else None
    entries = queue_entries.load(session, queue_slice.ids)
    return QueuePage(entries, queue_slice.next_after, queue_slice.unfinished, matching)


def _matching(session: Session, site_id: int, tab: Tab, filters: Filters) -> int | None:
    queue_slice = queue_query.find(session, site_id, tab, filters, after=None, limit=COUNTED - 1)
    return None if queue_slice.unfinished else len(queue_slice.ids) + (queue_slice.next_after is not None)


def counts(session: Session, site_id: int, author: AuthorRef | None = None) -> dict[Tab, int]:
    """Return the size of each list of a site, or of each status of an author; `COUNTED` means at least that many."""

    def of(tab: Tab) -> Any:
        # The count does not need an order, but it makes SQLite use the list's own index.
        some = queue_query.listed(site_id, tab, author).order_by(Comment.id.desc()).limit(COUNTED)
        return select(func.count()).select_from(some.subquery()).scalar_subquery()

    full_text.use_indexes(session)
    tabs = [
        tab for tab in Tab if tab is not Tab.ALL and (author is None or tab not in {Tab.REPORTED, Tab.EDITS})
    ]
    row = session.execute(select(*(of(tab) for tab in tabs))).one()
    sizes: dict[Tab, int] = dict(zip(tabs, row, strict=True))
    if author is None:
        sizes[Tab.ALL] = min(COUNTED, sizes[Tab.HELD] + sizes[Tab.APPROVED])
    return sizes


def load_entry(session: Session, comment_id: int) -> QueueEntry:
    """Return one comment, whatever its size; raises NotFoundError."""
    entries = queue_entries.load(session, [comment_id], whole=True)
    if not entries:
        raise NotFoundError(gettext("This comment no longer exists."))
    return entries[0]


def surroundings(session: Session, entry: QueueEntry) -> Surroundings:
    """Return the context that helps to judge a comment."""
    parent = queue_entries.load(session, [entry.parent_id] if entry.parent_id else [])
    others: list[int] = []
    if entry.author is not None:
        for tab in (Tab.HELD, Tab.APPROVED, Tab.SPAM, Tab.TRASH):
            mine = queue_query.listed(entry.site_id, tab, entry.author).where(Comment.id != entry.id)
            others += session.scalars(mine.order_by(Comment.id.desc()).limit(EARLIER))
    return Surroundings(
        parent=parent[0] if parent else None,
        earlier=queue_entries.load(session, sorted(others, reverse=True)[:EARLIER]),
        counts=counts(session, entry.site_id, entry.author) if entry.author else {},
        thread=session.get_one(Thread, entry.thread_id),
    )


def newest(session: Session) -> int:
    """Return the highest comment id, which tells later comments from those on a page shown now."""
    return session.scalar(select(func.max(Comment.id))) or 0


def history(session: Session, comment_id: int) -> list[DecisionSummary]:
    """Return the decisions on a comment, the latest first."""
    return queue_entries.decisions_on(session, comment_id, limit=HISTORY)


def former_texts(session: Session, comment_id: int) -> list[FormerText]:
    """Return the stored former texts of a comment, the latest first."""
    return queue_edits.former_texts(session, comment_id)


def status_before_removal(session: Session, comment_id: int) -> Status:
    """Return a comment's last status before it became spam or trash; held if it never had another."""
    return statuses_before_removal(session, [comment_id])[comment_id]


def statuses_before_removal(session: Session, comment_ids: Sequence[int]) -> dict[int, Status]:
    """Return the same for several comments, by id."""
    kept = Decision.status.in_([Status.APPROVED, Status.HELD])
    query = select(Decision.comment_id, Decision.status).where(Decision.comment_id.in_(comment_ids), kept)
    latest = {row.comment_id: row.status for row in session.execute(query.order_by(Decision.id))}
    return {comment_id: latest.get(comment_id, Status.HELD) for comment_id in comment_ids}
