"""The queries for the comments that readers see.

Each statement is built and compiled at its first use; after that a page costs only the rows it reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    not_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from commentsvc.db.session import UTCDateTime
from commentsvc.db.statements import Prepared
from commentsvc.domain.fields import LARGEST_ROW
from commentsvc.domain.reading.page_sizes import FIRST_REPLIES, MENTIONS, PINNED, ROOTS
from commentsvc.models import Comment, Commenter, Kind, Order, Picture, Role, SocialOrigin, Status

COMMENT: FromClause = Comment.__table__
_C = COMMENT.c
_THREAD = bindparam("thread_id", type_=BigInteger)
# A literal, not a bound parameter: otherwise the engines cannot tell that the partial indexes apply.
IS_COMMENT: ColumnElement[bool] = _C.kind == literal_column(f"'{Kind.COMMENT.value}'")
_IS_PINNED = and_(_C.pinned, _C.root_id.is_(None), _C.status == Status.APPROVED)


class CommentRow(NamedTuple):
    """A comment as `comments` selects it; author details come from the account if there is one."""

    id: int
    root_id: int | None
    parent_id: int | None
    depth: int
    status: Status
    kind: Kind
    role: Role | None
    html: str
    created_at: datetime
    edited_at: datetime | None
    pinned: bool
    featured: bool
    reply_count: int
    ups: int
    downs: int
    score: int
    liked_by_owner: bool
    name: str | None
    website: str | None
    commenter_id: int | None
    picture_digest: str | None
    """None if the author has no picture or does not show it."""
    origin: SocialOrigin | None = None
    origin_url: str | None = None
    foreign_picture: str | None = None
    """The digest of the picture of an author elsewhere."""
    content_warning: str | None = None


def comments(of: FromClause = COMMENT, *, given: FromClause | None = None) -> Any:
    """Select the fields of a CommentRow from table `of`; `given` is the join that contains it, if any."""
    writer, picture = Commenter.__table__, Picture.__table__
    return select(
        of.c.id,
        of.c.root_id,
        of.c.parent_id,
        of.c.depth,
        of.c.status,
        of.c.kind,
        of.c.role,
        of.c.html,
        of.c.created_at,
        of.c.edited_at,
        of.c.pinned,
        of.c.featured,
        of.c.reply_count,
        of.c.ups,
        of.c.downs,
        of.c.score,
        of.c.liked_by_owner,
        func.coalesce(writer.c.name, of.c.mention_title, of.c.guest_name).label("name"),
        func.coalesce(writer.c.website, of.c.guest_website).label("website"),
        of.c.commenter_id,
        picture.c.digest.label("picture_digest"),
        of.c.origin,
        of.c.origin_url,
        of.c.origin_picture_digest.label("foreign_picture"),
        of.c.content_warning,
    ).select_from(
        (of if given is None else given)
        .outerjoin(writer, writer.c.id == of.c.commenter_id)
        .outerjoin(picture, and_(picture.c.commenter_id == writer.c.id, writer.c.show_picture))
    )


@cache
def first_page(order: Order) -> Prepared:
    """The first page of `thread_id`: roots, pinned comments, the first replies to both, and mentions elsewhere."""
    pinned = (
        select(_C.id, _C.reply_count)
        # Few comments are pinned. `coalesce` hides the status from SQLite, which would scan a longer index for it.
        .where(
            _C.thread_id == _THREAD,
            _C.pinned,
            _C.root_id.is_(None),
            func.coalesce(_C.status, "") == "approved",
        )
        .order_by(_C.id)
        .limit(_number(PINNED))
    )
    mentions = (
        comments()
        .where(_C.thread_id == _THREAD, _C.shown, not_(IS_COMMENT))
        .order_by(_C.id)
        .limit(_number(MENTIONS))
    )
    heads = union_all(select(_roots(order).subquery()), select(pinned.subquery())).cte("head")
    return Prepared(union_all(_of_heads(heads), _first_replies(heads), select(mentions.subquery())))


@cache
def later_page(order: Order) -> Prepared:
    """A page of `thread_id` after the root with time `at` and id `number`, with the first replies.

    In the order by score also after `score`.
    """
    columns: list[ColumnElement[Any]] = [_C.created_at, _C.id]
    values = [bindparam("at", type_=UTCDateTime), bindparam("number", type_=BigInteger)]
    if order is Order.BEST:
        columns.insert(0, _C.score)
        values.insert(0, bindparam("score", type_=Integer))
    here, there = tuple_(*columns), tuple_(*values)
    roots = _roots(order).where(here > there if order is Order.OLDEST else here < there)
    heads = select(roots.subquery()).cte("head")
    return Prepared(union_all(_of_heads(heads), _first_replies(heads)))


@cache
def replies_of_one() -> Prepared:
    """The first replies to the root `id`."""
    root = select(_C.id, _C.reply_count).where(_C.id == bindparam("id", type_=BigInteger))
    return Prepared(_first_replies(root.cte("head")))


def names(session: Session, ids: Sequence[int]) -> Sequence[Any]:
    """Return id, name and status of comments."""
    writer = Commenter.__table__
    statement = (
        select(_C.id, _C.status, func.coalesce(writer.c.name, _C.guest_name).label("name"))
        .select_from(COMMENT.outerjoin(writer, writer.c.id == _C.commenter_id))
        .where(_C.id.in_(ids))
    )
    return session.connection().execute(statement).all()


def _number(value: int) -> ColumnElement[int]:
    """Return a literal number, because PostgreSQL's planner does not see bound ones."""
    return literal_column(str(value), Integer)


def _roots(order: Order) -> Select[Any]:
    """Select one root more than a page shows."""
    newest = (_C.created_at.desc(), _C.id.desc())
    ways: dict[Order, Sequence[ColumnElement[Any]]] = {
        Order.OLDEST: (_C.created_at, _C.id),
        Order.NEWEST: newest,
        Order.BEST: (_C.score.desc(), *newest),
    }
    return (
        select(_C.id, _C.reply_count)
        .where(_C.thread_id == _THREAD, _C.root_id.is_(None), _C.shown, IS_COMMENT, not_(_IS_PINNED))
        .order_by(*ways[order])
        .limit(_number(ROOTS + 1))
    )


def _of_heads(heads: FromClause) -> Any:
    of = COMMENT.alias("comment_of_head")
    return comments(of, given=heads.join(of, of.c.id == heads.c.id))


def _first_replies(heads: FromClause) -> Any:
    """Select the first few replies to each root.

    The bound is an id looked up per root, so that both engines walk the index from the root's first reply to
    that id and read nothing else.
    """
    reply, nth = COMMENT.alias("reply"), COMMENT.alias("nth")
    last = (
        select(nth.c.id)
        .where(nth.c.root_id == heads.c.id, nth.c.shown)
        .order_by(nth.c.id)
        .offset(_number(FIRST_REPLIES - 1))
        .limit(_number(1))
        .correlate(heads)
        .scalar_subquery()
    )
    return comments(
        reply,
        given=heads.join(reply, reply.c.root_id == heads.c.id),
    ).where(
        heads.c.reply_count > 0,
        reply.c.shown,
        reply.c.id <= func.coalesce(last, _number(LARGEST_ROW)),
    )
