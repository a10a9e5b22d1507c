"""What a reader sees: one page of a thread, in a number of queries and rows that its length does not change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from commentsvc.adapters import markup
from commentsvc.db import UTCDateTime
from commentsvc.domain import cursors, pictures
from commentsvc.domain.threads import Address, find
from commentsvc.errors import NotFoundError
from commentsvc.models import (
    Comment,
    Commenter,
    Kind,
    Order,
    Picture,
    Role,
    Site,
    Status,
    Thread,
)

ROOTS = 50
FIRST_REPLIES = 5
MORE_REPLIES = 50
MENTIONS = 20
PINNED = 3
DEEPEST_PATH = 20
ANONYMOUS = "Anonymous"
_LAST_ID = 2**62
# Written into the query, not bound to it: only so do both engines see that the partial indexes fit.
_COMMENT: ColumnElement[Any] = literal_column(f"'{Kind.COMMENT.value}'")
_PINNED = and_(Comment.pinned, Comment.root_id.is_(None), Comment.status == Status.APPROVED)


@dataclass(frozen=True, slots=True)
class CommentView:
    """A comment as templates see it. A placeholder has lost its text and its author."""

    id: int
    root_id: int | None
    parent_id: int | None
    depth: int
    placeholder: bool
    held: bool
    kind: Kind
    name: str
    picture: str | None
    """The path of their picture here; None for initials."""
    website: str | None
    role: Role | None
    html: markup.SafeHtml
    created_at: datetime
    edited: bool
    pinned: bool
    featured: bool
    reply_count: int
    parent_name: str | None
    """Whom it answers; None where that is a removed comment or nobody."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A root and the first of its replies, in the order in which they read."""

    root: CommentView
    replies: list[CommentView]
    more: int
    """Approved replies not in here yet."""
    after: int
    """Where the next ones begin."""


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """One page of a thread; of a thread nobody has written in, an empty one."""

    thread: Thread | None
    order: Order
    conversations: list[Conversation] = field(default_factory=list)
    next_cursor: str | None = None
    mentions: list[CommentView] = field(default_factory=list)
    focus: Conversation | None = None


def page(
    session: Session, address: Address, *, order: Order, after: str | None = None, focus_id: int | None = None
) -> ThreadPage:
    """Return a page of roots with the first replies of each; above those of the first page, what is pinned.

    `after` is the cursor of the page before; raises BadAddressError for one that is none. `focus_id` is a
    comment that must be on the page: where it is not, its conversation is added as `focus`.
    """
    thread = find(session, address)
    if thread is None:
        return ThreadPage(None, order)
    rows = _roots(session, thread.id, order, after)
    roots = [_view(row) for row in rows[:ROOTS]]
    conversations = _with_replies(session, ([] if after else _pinned(session, thread.id)) + roots)
    result = ThreadPage(
        thread=thread,
        order=order,
        conversations=conversations,
        next_cursor=cursors.write(roots[-1].created_at, roots[-1].id) if len(rows) > ROOTS else None,
        mentions=[] if after else _mentions(session, thread.id),
        focus=_focus(session, thread.id, focus_id, conversations) if focus_id else None,
    )
    if result.focus is not None:
        root_id = result.focus.root.id
        result.conversations[:] = [one for one in conversations if one.root.id != root_id]
    return result


def more_replies(session: Session, address: Address, root_id: int, *, after: int) -> Conversation:
    """Return the replies of a root after the one whose id is `after`; raises NotFoundError."""
    thread = find(session, address)
    row = session.execute(_columns().where(Comment.id == root_id)).first() if thread else None
    if thread is None or row is None or row.thread_id != thread.id or row.root_id or not row.shown:
        raise NotFoundError("This conversation is no longer there.")
    rows = session.execute(
        _columns()
        .where(Comment.root_id == root_id, Comment.shown, Comment.id > after)
        .order_by(Comment.id)
        .limit(MORE_REPLIES + 1)
    ).all()
    shown = [_view(one) for one in rows[:MORE_REPLIES]]
    more = 0
    if len(rows) > MORE_REPLIES:
        more = session.scalar(
            select(func.count()).select_from(
                select(Comment.id)
                .where(Comment.root_id == root_id, Comment.shown, Comment.id > shown[-1].id)
                .limit(1000)
                .subquery()
            )
        ) or 0  # fmt: skip
    return Conversation(_view(row), preorder(shown), more=more, after=shown[-1].id if shown else after)


def own_held(
    session: Session,
    address: Address,
    *,
    author_key_hash: str | None = None,
    comment_id: int | None = None,
    commenter_id: int | None = None,
) -> list[CommentView]:
    """Return comments of this thread that only their author may see yet, by any of the proofs given."""
    thread = find(session, address)
    proofs = [
        column == proof
        for column, proof in (
            (Comment.author_key_hash, author_key_hash),
            (Comment.id, comment_id),
            (Comment.commenter_id, commenter_id),
        )
        if proof is not None
    ]
    if thread is None or not proofs:
        return []
    query = _columns().where(Comment.site_id == address.site.id, or_(*proofs), Comment.thread_id == thread.id)
    rows = session.execute(query.where(Comment.status == Status.HELD).order_by(Comment.id).limit(20))
    return [_view(row, own=True) for row in rows]


def one(session: Session, comment_id: int, *, own: bool = False) -> CommentView:
    """Return a single comment, `own` for its author; raises NotFoundError."""
    row = session.execute(_columns().where(Comment.id == comment_id)).first()
    if row is None:
        raise NotFoundError("This comment is no longer there.")
    return _view(row, own=own)


def answered(session: Session, address: Address, comment_id: int | None) -> CommentView | None:
    """Return the comment of this thread that somebody wants to answer; None where it is not there to be answered."""
    thread = find(session, address)
    if thread is None or comment_id is None:
        return None
    row = session.execute(_columns().where(Comment.id == comment_id, Comment.thread_id == thread.id)).first()
    return _view(row) if row is not None and row.status is Status.APPROVED else None


def where_is(session: Session, comment_id: int) -> tuple[Site, Thread]:
    """Return site and thread of a comment that readers can see; raises NotFoundError."""
    comment = session.get(Comment, comment_id) if comment_id <= _LAST_ID else None
    if comment is None or not comment.shown:
        raise NotFoundError("This comment is no longer there.")
    return comment.thread.site, comment.thread


def preorder(replies: Sequence[CommentView]) -> list[CommentView]:
    """Put each reply under what it answers; those whose parent is not among them lead."""
    present = {reply.id for reply in replies}
    children: dict[int | None, list[CommentView]] = {}
    for reply in replies:
        children.setdefault(reply.parent_id if reply.parent_id in present else None, []).append(reply)
    ordered: list[CommentView] = []
    waiting = children.get(None, [])[::-1]
    while waiting:
        reply = waiting.pop()
        ordered.append(reply)
        waiting.extend(children.get(reply.id, [])[::-1])
    return ordered


def _roots(session: Session, thread_id: int, order: Order, after: str | None) -> Sequence[Row[Any]]:
    query = _columns().where(
        Comment.thread_id == thread_id,
        Comment.root_id.is_(None),
        Comment.shown,
        Comment.kind == _COMMENT,
        not_(_PINNED),
    )
    if after is not None:
        at, number = cursors.read(after)
        here, there = (
            tuple_(Comment.created_at, Comment.id),
            tuple_(literal(at, UTCDateTime()), literal(number)),
        )
        query = query.where(here > there if order is Order.OLDEST else here < there)
    if order is Order.OLDEST:
        query = query.order_by(Comment.created_at, Comment.id)
    else:
        query = query.order_by(Comment.created_at.desc(), Comment.id.desc())
    return session.execute(query.limit(ROOTS + 1)).all()


def _pinned(session: Session, thread_id: int) -> list[CommentView]:
    # Few rows have the mark; asked for status or order too, SQLite would walk a longer index for those.
    rows = session.execute(_columns().where(Comment.thread_id == thread_id, Comment.pinned)).all()
    found = [_view(row) for row in rows if row.status is Status.APPROVED and row.root_id is None]
    return sorted(found, key=lambda view: view.id)[:PINNED]


def _with_replies(session: Session, roots: Sequence[CommentView]) -> list[Conversation]:
    answered = [root.id for root in roots if root.reply_count]
    below: dict[int, list[CommentView]] = {}
    if answered:
        for row in session.execute(_first_replies(answered)):
            below.setdefault(row.root_id, []).append(_view(row))
    return [_conversation(root, below.get(root.id, [])) for root in roots]


def _first_replies(root_ids: Sequence[int]) -> Any:
    """The first few replies of each root.

    The bound is an id looked up per root, so that both engines walk the index from the root's first reply to
    that id and read nothing else.
    """
    root, nth = aliased(Comment), aliased(Comment)
    last = (
        select(nth.id)
        .where(nth.root_id == root.id, nth.shown)
        .order_by(nth.id)
        .offset(FIRST_REPLIES - 1)
        .limit(1)
        .correlate(root)
        .scalar_subquery()
    )
    return (
        _columns()
        .join(root, Comment.root_id == root.id)
        .where(root.id.in_(root_ids), Comment.shown, Comment.id <= func.coalesce(last, _LAST_ID))
        .order_by(Comment.id)
    )


def _conversation(root: CommentView, replies: Sequence[CommentView]) -> Conversation:
    approved = sum(not reply.placeholder for reply in replies)
    more = root.reply_count - approved if len(replies) >= FIRST_REPLIES else 0
    return Conversation(root, preorder(replies), more=max(more, 0), after=replies[-1].id if replies else 0)


def _mentions(session: Session, thread_id: int) -> list[CommentView]:
    query = _columns().where(Comment.thread_id == thread_id, Comment.shown, Comment.kind != _COMMENT)
    return [_view(row) for row in session.execute(query.order_by(Comment.id).limit(MENTIONS))]


def _focus(
    session: Session, thread_id: int, comment_id: int, conversations: Sequence[Conversation]
) -> Conversation | None:
    """The conversation around one comment: its root, the way down to it, and the first answers to it."""
    for one in conversations:
        if one.root.id == comment_id or any(reply.id == comment_id for reply in one.replies):
            return None
    target = session.execute(_columns().where(Comment.id == comment_id)).first()
    if target is None or target.thread_id != thread_id or not target.shown or target.kind is not Kind.COMMENT:
        return None
    if target.root_id is None:
        return _with_replies(session, [_view(target)])[0]
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
    rows = session.execute(
        _columns()
        .where(or_(Comment.id.in_(select(path.c.id)), Comment.id.in_(answers.scalar_subquery())))
        .order_by(Comment.id)
    ).all()
    root = session.execute(_columns().where(Comment.id == target.root_id)).one()
    replies = [_view(row) for row in rows]
    approved = sum(not reply.placeholder for reply in replies)
    return Conversation(_view(root), preorder(replies), more=max(root.reply_count - approved, 0), after=0)


def _columns() -> Any:
    parent, answered = aliased(Comment), aliased(Commenter)
    return (
        select(
            Comment.id,
            Comment.thread_id,
            Comment.root_id,
            Comment.parent_id,
            Comment.depth,
            Comment.status,
            Comment.shown,
            Comment.kind,
            Comment.role,
            Comment.html,
            Comment.created_at,
            Comment.edited_at,
            Comment.pinned,
            Comment.featured,
            Comment.reply_count,
            Comment.guest_name,
            Comment.guest_website,
            Comment.commenter_id,
            Picture.digest.label("picture"),
            Commenter.name.label("commenter_name"),
            Commenter.website.label("commenter_website"),
            parent.status.label("parent_status"),
            func.coalesce(answered.name, parent.guest_name).label("parent_name"),
        )
        .outerjoin(Commenter, Commenter.id == Comment.commenter_id)
        .outerjoin(Picture, and_(Picture.commenter_id == Commenter.id, Commenter.show_picture))
        .outerjoin(parent, parent.id == Comment.parent_id)
        .outerjoin(answered, answered.id == parent.commenter_id)
    )


def _view(row: Row[Any], *, own: bool = False) -> CommentView:
    visible = row.status is Status.APPROVED or (own and row.status is Status.HELD)
    return CommentView(
        id=row.id,
        root_id=row.root_id,
        parent_id=row.parent_id,
        depth=row.depth,
        placeholder=not visible,
        held=visible and row.status is Status.HELD,
        kind=row.kind,
        name=(row.commenter_name or row.guest_name or ANONYMOUS) if visible else "",
        picture=pictures.path_of(row.commenter_id, row.picture) if visible else None,
        website=(row.commenter_website or row.guest_website) if visible else None,
        role=row.role if visible else None,
        html=markup.trusted(row.html if visible else ""),
        created_at=row.created_at,
        edited=visible and row.edited_at is not None,
        pinned=visible and row.pinned,
        featured=visible and row.featured,
        reply_count=row.reply_count,
        parent_name=(row.parent_name or ANONYMOUS) if row.parent_status is Status.APPROVED else None,
    )
