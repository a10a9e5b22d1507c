"""Reads one page of a thread, in a constant number of queries and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from sqlalchemy import func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from commentsvc.domain.reading import conversations, cursors, queries
from commentsvc.domain.reading.conversations import ANONYMOUS, CommentView, Conversation, preorder
from commentsvc.domain.reading.page_sizes import DEEPEST_PATH, FIRST_REPLIES, MORE_REPLIES, ROOTS
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import Comment, Kind, Likes, Order, Site, Status, Thread

__all__ = [
    "ANONYMOUS",
    "DEEPEST_PATH",
    "FIRST_REPLIES",
    "ROOTS",
    "CommentView",
    "Conversation",
    "ThreadPage",
    "comment_to_answer",
    "comment_view",
    "more_replies",
    "order_on",
    "page",
    "preorder",
    "views_of",
    "where_is",
]

_Views = list[CommentView]
_BY_TIME, _BY_ID = attrgetter("created_at", "id"), attrgetter("id")
_BY_SCORE = attrgetter("score", "created_at", "id")


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """One page of a thread; empty if the thread does not exist yet."""

    thread: Thread | None
    order: Order
    conversations: list[Conversation] = field(default_factory=list)
    next_cursor: str | None = None
    mentions: list[CommentView] = field(default_factory=list)
    focus: Conversation | None = None

    @property
    def title(self) -> str | None:
        """The article's title; None if nothing in the thread is public."""
        if self.thread is None or not (self.thread.approved_count or self.mentions):
            return None
        return self.thread.title

    @property
    def shown(self) -> list[Conversation]:
        """Every conversation on the page, the linked one first."""
        return [self.focus, *self.conversations] if self.focus else self.conversations

    @property
    def unshown(self) -> int:
        """How many of the thread's comments are not on it."""
        if self.thread is None:
            return 0
        views = [view for conversation in self.shown for view in conversation.views]
        return max(0, self.thread.approved_count - sum(not view.placeholder for view in views))


def order_on(site: Site, asked: Order | None = None) -> Order:
    """Return the order that was asked for, or else the site's; the order by votes only where there are votes."""
    order = asked or site.order
    return Order.OLDEST if order is Order.BEST and site.likes is Likes.OFF else order


def page(
    session: Session,
    address: ThreadAddress,
    *,
    order: Order,
    after: str | None = None,
    focus_id: int | None = None,
) -> ThreadPage:
    """Return a page of roots with the first replies to each; the first page begins with the pinned comments.

    `after` is the cursor at the end of the previous page; raises BadAddressError if it is invalid. `focus_id` is a
    comment that the page must show: if its conversation is not on the page, it is added as `focus`.
    """
    start = cursors.parse(after) if after is not None else None  # raises whether or not there is a thread
    thread = threads.find(session, address)
    if thread is None:
        return ThreadPage(None, order)
    if start is None:
        rows = queries.first_page(order).rows(session, thread_id=thread.id)
    else:
        rows = queries.later_page(order).rows(session, thread_id=thread.id, **start._asdict())
    # A union has no order. Sorted by id, most parents come before their replies.
    roots, pinned, replies, mentions = _parts(_of_rows(session, sorted(rows)), order)
    shown = roots[:ROOTS]
    page_conversations = [_conversation(root, replies) for root in (*pinned, *shown)]
    focus = _focus(session, thread.id, focus_id, page_conversations) if focus_id else None
    return ThreadPage(
        thread=thread,
        order=order,
        conversations=[
            conversation for conversation in page_conversations if conversation.root.id != focus.root.id
        ]
        if focus
        else page_conversations,
        next_cursor=_cursor(shown[-1], order) if len(roots) > ROOTS else None,
        mentions=mentions,
        focus=focus,
    )


def more_replies(session: Session, address: ThreadAddress, root_id: int, *, after: int) -> Conversation:
    """Return the replies to a root with ids above `after`; raises NotFoundError."""
    thread = threads.find(session, address)
    wanted = queries.comments().where(Comment.id == root_id, Comment.root_id.is_(None), Comment.shown)
    root = views_of(session, wanted.where(Comment.thread_id == thread.id)) if thread else []
    if not root:
        raise NotFoundError(gettext("This conversation no longer exists."))
    below = queries.comments().where(Comment.root_id == root_id, Comment.shown, Comment.id > after)
    views = views_of(session, below.order_by(Comment.id).limit(MORE_REPLIES + 1), known=root[0])
    shown = views[:MORE_REPLIES]
    more = 0
    if len(views) > MORE_REPLIES:
        more = session.scalar(
            select(func.count()).select_from(
                select(Comment.id)
                .where(Comment.root_id == root_id, Comment.shown, Comment.id > shown[-1].id)
                .limit(1000)
                .subquery()
            )
        ) or 0  # fmt: skip
    return Conversation(root[0], preorder(shown), more=more, after=shown[-1].id if shown else after)


def comment_view(session: Session, comment_id: int, *, own: bool = False) -> CommentView:
    """Return one comment, with `own` as its author sees it; raises NotFoundError."""
    views = views_of(session, queries.comments().where(Comment.id == comment_id), own=own)
    if not views:
        raise NotFoundError(gettext("This comment no longer exists."))
    return views[0]


def comment_to_answer(session: Session, address: ThreadAddress, comment_id: int | None) -> CommentView | None:
    """Return the comment in this thread to reply to; None if it is not there or not approved."""
    thread = threads.find(session, address)
    if thread is None or comment_id is None:
        return None
    query = queries.comments().where(Comment.id == comment_id, Comment.thread_id == thread.id)
    views = views_of(session, query.where(Comment.status == Status.APPROVED))
    return views[0] if views else None


def where_is(session: Session, comment_id: int) -> tuple[Site, Thread]:
    """Return site and thread of a comment that readers can see; raises NotFoundError."""
    comment = session.get(Comment, comment_id)
    if comment is None or not comment.shown:
        raise NotFoundError(gettext("This comment no longer exists."))
    return comment.thread.site, comment.thread


def views_of(
    session: Session, query: Any, *, own: bool = False, known: CommentView | None = None
) -> list[CommentView]:
    """Return the results of a query by `queries.comments`; `known` is a comment that they may reply to."""
    return _of_rows(session, session.execute(query).all(), own=own, known=known)


def _of_rows(
    session: Session, rows: Sequence[Sequence[Any]], *, own: bool = False, known: CommentView | None = None
) -> list[CommentView]:
    names = {} if known is None else {known.id: known.name}
    comments = [queries.CommentRow._make(row) for row in rows]
    views, missing = conversations.views(comments, names, own=own)
    if missing:
        # Parents further up in the thread, or with a later id than the reply, as imports may have.
        others = queries.names(session, sorted(missing))
        names |= {row.id: row.name or gettext(ANONYMOUS) for row in others if row.status is Status.APPROVED}
        views, _ = conversations.views(comments, names, own=own)
    return views


def _parts(views: Sequence[CommentView], order: Order) -> tuple[_Views, _Views, dict[int, _Views], _Views]:
    """Sort the comments of a page, given in the order of ids, into roots, pinned, replies by root, and mentions."""
    roots: _Views = []
    pinned: _Views = []
    mentions: _Views = []
    below: dict[int, _Views] = {}
    for view in views:
        root_id = view.root_id
        if root_id is not None:
            if root_id in below:
                below[root_id].append(view)
            else:
                below[root_id] = [view]
        elif view.kind is not Kind.COMMENT:
            mentions.append(view)
        else:
            (pinned if view.pinned else roots).append(view)
    roots.sort(key=_BY_SCORE if order is Order.BEST else _BY_TIME, reverse=order is not Order.OLDEST)
    return roots, pinned, below, mentions


def _cursor(root: CommentView, order: Order) -> str:
    score = root.score if order is Order.BEST else None
    return cursors.format_cursor(root.created_at, root.id, score=score)


def _conversation(root: CommentView, below: dict[int, _Views]) -> Conversation:
    replies = below.get(root.id)
    return conversations.conversation(root, replies, first=FIRST_REPLIES) if replies else Conversation(root)


def _focus(
    session: Session, thread_id: int, comment_id: int, present: Sequence[Conversation]
) -> Conversation | None:
    """Return the conversation around one comment: its root, the path to it, and the first replies to it."""
    if any(view.id == comment_id for conversation in present for view in conversation.views):
        return None
    query = select(Comment.root_id).where(Comment.id == comment_id, Comment.thread_id == thread_id)
    target = session.execute(query.where(Comment.shown, queries.IS_COMMENT)).first()
    if target is None:
        return None
    if target.root_id is None:
        below = _of_rows(session, queries.replies_of_one().rows(session, id=comment_id))
        return _conversation(comment_view(session, comment_id), {comment_id: sorted(below, key=_BY_ID)})
    path = (
        select(Comment.id, Comment.parent_id, Comment.root_id)
        .where(Comment.id == comment_id)
        .add_columns(literal(0).label("steps"))
        .cte("path", recursive=True)
    )
    up = aliased(Comment)
    path = path.union_all(
        select(up.id, up.parent_id, up.root_id, path.c.steps + 1)
        .join(path, up.id == path.c.parent_id)
        .where(path.c.steps < DEEPEST_PATH, up.root_id.is_not(None))
    )
    answers = (
        select(Comment.id)
        .where(Comment.parent_id == comment_id, Comment.shown)
        .order_by(Comment.id)
        .limit(FIRST_REPLIES)
    )
    around = or_(
        Comment.id.in_(select(path.c.id)),
        Comment.id.in_(answers.scalar_subquery()),
        Comment.id == target.root_id,
    )
    views = views_of(session, queries.comments().where(around).order_by(Comment.id))
    root = next(view for view in views if view.id == target.root_id)
    replies = [view for view in views if view.id != target.root_id]
    approved = sum(not reply.placeholder for reply in replies)
    return Conversation(root, preorder(replies), more=max(root.reply_count - approved, 0), after=0)
