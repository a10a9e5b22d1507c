"""Reads a whole thread for builds and folders: every public comment, in parts of whole conversations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import not_, select, tuple_
from sqlalchemy.orm import Session

from commentsvc.domain.reading import conversations, cursors, queries, thread_pages
from commentsvc.domain.reading.conversations import CommentView, Conversation
from commentsvc.domain.reading.cursors import Position
from commentsvc.domain.reading.page_sizes import MENTIONS
from commentsvc.models import Comment, Order, Thread

LONGEST_PART = 1000
"""Comments. A part ends before the conversation that would exceed it; of a longer conversation it has the beginning."""


@dataclass(frozen=True, slots=True)
class ThreadPart:
    """Conversations of a thread, whole ones unless one alone is longer than a part."""

    conversations: list[Conversation] = field(default_factory=list)
    mentions: list[CommentView] = field(default_factory=list)
    """Pages that mention the article, only in the first part."""
    next_cursor: str | None = None
    """Where the next part begins; None at the end. The thread's own page understands it too."""


def part(session: Session, thread: Thread, order: Order, *, after: str | None = None) -> ThreadPart:
    """Return the part of a thread that begins after a cursor; raises BadAddressError for an invalid one."""
    start = cursors.parse(after) if after is not None else None
    heads = _heads(session, thread.id, order, start)
    chosen = _fitting(heads)
    views = {
        view.id: view
        for view in thread_pages.views_of(
            session, queries.comments().where(Comment.id.in_([head.id for head in chosen]), Comment.shown)
        )
    }
    replies = _replies(session, list(views))
    last = chosen[-1] if chosen else None
    return ThreadPart(
        conversations=[
            _conversation(views[head.id], replies.get(head.id, [])) for head in chosen if head.id in views
        ],
        mentions=[] if start else _mentions(session, thread.id),
        next_cursor=_cursor(last, order) if last and len(heads) > len(chosen) else None,
    )


def parts(session: Session, thread: Thread, order: Order) -> Iterator[ThreadPart]:
    """Yield all parts of a thread; the first one even if it is empty."""
    current = part(session, thread, order)
    yield current
    while current.next_cursor:
        current = part(session, thread, order, after=current.next_cursor)
        yield current


def _heads(session: Session, thread_id: int, order: Order, start: Position | None) -> Sequence[Any]:
    """Return the places of roots in reading order, with their numbers of replies, one more than a part can have."""
    columns = (Comment.created_at, Comment.id)
    query = select(Comment.id, Comment.created_at, Comment.score, Comment.reply_count).where(
        Comment.thread_id == thread_id, Comment.root_id.is_(None), Comment.shown, queries.IS_COMMENT
    )
    if order is Order.OLDEST:
        query = query.order_by(*columns)
        query = query.where(tuple_(*columns) > (start.at, start.number)) if start else query
    elif order is Order.NEWEST:
        query = query.order_by(*(column.desc() for column in columns))
        query = query.where(tuple_(*columns) < (start.at, start.number)) if start else query
    else:
        query = query.order_by(Comment.score.desc(), *(column.desc() for column in columns))
        there = (start.score, start.at, start.number) if start else None
        query = query.where(tuple_(Comment.score, *columns) < there) if there else query
    return session.execute(query.limit(LONGEST_PART + 1)).all()


def _cursor(head: Any, order: Order) -> str:
    score = head.score if order is Order.BEST else None
    return cursors.format_cursor(head.created_at, head.id, score=score)


def _fitting(heads: Sequence[Any]) -> Sequence[Any]:
    """Return as many of the first roots as fit into a part with their replies, and at least one."""
    comments = 0
    for index, head in enumerate(heads):
        comments += 1 + head.reply_count
        if comments > LONGEST_PART:
            return heads[: max(index, 1)]
    return heads


def _replies(session: Session, root_ids: Sequence[int]) -> dict[int, list[CommentView]]:
    query = queries.comments().where(Comment.root_id.in_(root_ids), Comment.shown).order_by(Comment.id)
    replies: dict[int, list[CommentView]] = {}
    # Removed comments that carry replies are not counted, so a part may have more rows than comments.
    for view in thread_pages.views_of(session, query.limit(2 * LONGEST_PART)):
        replies.setdefault(view.root_id or 0, []).append(view)
    return replies


def _conversation(root: CommentView, replies: Sequence[CommentView]) -> Conversation:
    more = max(0, root.reply_count - sum(not reply.placeholder for reply in replies))
    return Conversation(root, conversations.preorder(replies), more, replies[-1].id if replies else 0)


def _mentions(session: Session, thread_id: int) -> list[CommentView]:
    query = queries.comments().where(Comment.thread_id == thread_id, Comment.shown, not_(queries.IS_COMMENT))
    return thread_pages.views_of(session, query.order_by(Comment.id).limit(MENTIONS))
