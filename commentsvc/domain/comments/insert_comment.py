"""Inserts a new comment: a few prepared statements, under the write lock.

They bypass the mapped classes, whose loading and flushing would take longer than the database itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnDefault,
    Insert,
    Table,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from commentsvc.db.session import Base
from commentsvc.db.statements import Prepared
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import known_authors
from commentsvc.domain.reading import conversations
from commentsvc.domain.reading.conversations import ANONYMOUS, CommentView
from commentsvc.domain.reading.queries import CommentRow
from commentsvc.domain.threads import embedding_pages, threads, visibility
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.domain.threads.visibility import ThreadCounts
from commentsvc.match_keys import match_key
from commentsvc.messages import gettext
from commentsvc.models import Kind, Status

_SITE, _THREAD, _COMMENT, _DECISION, _COMMENTER, _PICTURE = (
    Base.metadata.tables[name] for name in ("site", "thread", "comment", "decision", "commenter", "picture")
)
_t, _c = _THREAD.c, _COMMENT.c


@dataclass(frozen=True, slots=True)
class TargetThread:
    """The thread of a new comment, read under its lock."""

    id: int
    key: str
    match_key: str | None
    created_at: datetime
    closed_at: datetime | None
    slow_seconds: int | None


@dataclass(frozen=True, slots=True)
class ParentComment:
    """The comment that a reply answers."""

    id: int
    root_id: int
    depth: int
    name: str


@dataclass(frozen=True, slots=True)
class EarlierComments:
    """What the same author has already written."""

    earlier_id: int | None
    """The comment with this idempotency key."""
    repeated: bool
    """The author already posted the same text in this thread."""
    is_known: bool
    """The author's browser or account is known on the site."""


@dataclass(frozen=True, slots=True)
class PostedComment:
    """A stored comment."""

    id: int
    thread_id: int
    status: Status
    count: int
    """Number of approved comments in the thread."""
    view: CommentView
    """The comment as shown to its author."""


# The site before the thread, in the same order as pages and migrations, so that there is no deadlock.
_PLACE = (
    select(_t.id, _t.key, _t.match_key, _t.created_at, _t.closed_at, _t.slow_seconds)
    .select_from(_SITE.join(_THREAD, _t.site_id == _SITE.c.id))
    .with_for_update(of=_THREAD)
)
_PLACE_BY_KEY = Prepared(_PLACE.where(_t.site_id == bindparam("site_id"), _t.key == bindparam("key")))
_PLACE_BY_ID = Prepared(_PLACE.where(_t.id == bindparam("id")))


def target_thread(
    session: Session, address: ThreadAddress, *, title: str | None, at: datetime
) -> TargetThread:
    """Find or create the thread at `address` and lock it against other writers; raises ThreadClosedError."""
    site = address.site
    embedding_pages.require_writable(address)
    # The thread stored under this very address takes precedence over threads with a similar one.
    row = _PLACE_BY_KEY.row(session, site_id=site.id, key=address.earlier or address.key)
    if row is None:
        threads.require_open(site, threads.find(session, address), at=at)
        thread = threads.find_or_create(session, address, title=title, at=at)
        (row,) = _PLACE_BY_ID.rows(session, id=thread.id)
    here = TargetThread(*row)
    threads.require_open(site, here, at=at)
    if here.match_key is None:  # written by the previous release after the migration
        here = replace(here, match_key=match_key(here.key, site.ignored_parameters))
        session.execute(update(_THREAD).where(_t.id == here.id).values(match_key=here.match_key))
    return here


def _earlier_comments(same: Any, who: Any) -> Any:
    here = _c.thread_id == bindparam("thread_id")
    earlier = select(_c.id).where(here, _c.idempotency_key == bindparam("key"))
    repeated = exists().where(here, _c.digest == bindparam("digest"), _c.status != Status.TRASH, same)
    is_known = known_authors.has_approved(bindparam("site_id"), who)
    return select(earlier.scalar_subquery(), repeated, is_known)


# Guests without name and e-mail address are told apart by their network.
_GUEST_DETAILS = and_(
    _c.commenter_id.is_(None),
    _c.guest_name.is_not_distinct_from(bindparam("name")),
    _c.guest_email.is_not_distinct_from(bindparam("email")),
    or_(bindparam("named", type_=Boolean()), _c.network_hash.is_not_distinct_from(bindparam("network"))),
)
_BY_BROWSER = _c.author_key_hash == bindparam("author_key")
_BY_ACCOUNT = _c.commenter_id == bindparam("commenter_id")
_LOOK_GUEST = Prepared(_earlier_comments(or_(_GUEST_DETAILS, _BY_BROWSER), _BY_BROWSER))
_LOOK_MEMBER = Prepared(_earlier_comments(_BY_ACCOUNT, _BY_ACCOUNT))


def earlier_comments(
    session: Session, site_id: int, here: TargetThread, digest: str, key: str | None, author: Author
) -> EarlierComments:
    """Read in one query what the same author has already written; `key` is the idempotency key."""
    sought = {"site_id": site_id, "thread_id": here.id, "digest": digest, "key": key}
    if author.commenter_id is not None:
        (row,) = _LOOK_MEMBER.rows(session, **sought, commenter_id=author.commenter_id)
    else:
        name, email = author.guest.name, author.guest.email
        (row,) = _LOOK_GUEST.rows(
            session,
            **sought,
            name=name,
            email=email,
            named=name is not None or email is not None,
            author_key=author.author_key_hash,
            network=author.network_hash,
        )
    return EarlierComments(row[0], bool(row[1]), bool(row[2]))


_PARENT = Prepared(
    select(_c.id, func.coalesce(_c.root_id, _c.id), _c.depth, func.coalesce(_COMMENTER.c.name, _c.guest_name))
    .select_from(_COMMENT.outerjoin(_COMMENTER, _COMMENTER.c.id == _c.commenter_id))
    .where(_c.id == bindparam("id"), _c.thread_id == bindparam("thread_id"), _c.status == Status.APPROVED)
)


def parent(session: Session, here: TargetThread, comment_id: int) -> ParentComment | None:
    """Return the parent of a reply; None if it is not visible in this thread."""
    row = _PARENT.row(session, id=comment_id, thread_id=here.id)
    if row is None:
        return None
    number, root_id, depth, name = row
    return ParentComment(number, root_id, depth, name or gettext(ANONYMOUS))


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if not column.primary_key]


def _insert_into(table: Table) -> Insert:
    return insert(table).values(
        {column.name: bindparam(column.name, type_=column.type) for column in _columns(table)}
    )


def _defaults(table: Table) -> dict[str, Any]:
    """Return the defaults of columns that the caller may leave out; columns it must give are missing."""
    defaults: dict[str, Any] = {}
    for column in _columns(table):
        default = column.default
        if isinstance(default, ColumnDefault) and default.is_scalar:
            defaults[column.name] = default.arg
        elif default is None and column.nullable:
            defaults[column.name] = None
    return defaults


_ADD = Prepared(_insert_into(_COMMENT).returning(_c.id))
_DECIDE = Prepared(_insert_into(_DECISION))
_COMMENT_DEFAULTS, _DECISION_DEFAULTS = _defaults(_COMMENT), _defaults(_DECISION)
_COUNT = Prepared(select(_t.approved_count).where(_t.id == bindparam("id")))
_WRITER = Prepared(
    select(_COMMENTER.c.name, _COMMENTER.c.website, _PICTURE.c.digest)
    .select_from(
        _COMMENTER.outerjoin(
            _PICTURE, and_(_PICTURE.c.commenter_id == _COMMENTER.c.id, _COMMENTER.c.show_picture)
        )
    )
    .where(_COMMENTER.c.id == bindparam("id"))
)


def add(
    session: Session, row: dict[str, Any], parent: ParentComment | None, reasons: list[dict[str, Any]]
) -> PostedComment:
    """Insert a comment with its status and decision, and update the counts.

    `row` has the sent values and the status; the model has the defaults of all other columns.
    """
    approved = row["status"] is Status.APPROVED
    row |= {
        "parent_id": parent.id if parent else None,
        "root_id": parent.root_id if parent else None,
        "depth": parent.depth + 1 if parent else 0,
        "shown": approved,
    }
    ((number,),) = _ADD.rows(session, **_COMMENT_DEFAULTS | row)
    decision = {
        "comment_id": number,
        "status": row["status"],
        "reasons": reasons,
        "created_at": row["created_at"],
    }
    _DECIDE.rows(session, **_DECISION_DEFAULTS | decision)
    if approved:
        replies = {parent.root_id: 1} if parent else {}  # an approved parent is shown, and all its ancestors
        count = visibility.publish(session, row["thread_id"], ThreadCounts(1, replies), announced=[number])
    else:
        ((count,),) = _COUNT.rows(session, id=row["thread_id"])
    return PostedComment(number, row["thread_id"], row["status"], count, _view(session, number, row, parent))


def _view(session: Session, number: int, row: dict[str, Any], parent: ParentComment | None) -> CommentView:
    name, website, picture = row["guest_name"], row["guest_website"], None
    if row["commenter_id"] is not None:
        ((name, website, picture),) = _WRITER.rows(session, id=row["commenter_id"])
    comment = CommentRow(
        id=number,
        root_id=row["root_id"],
        parent_id=row["parent_id"],
        depth=row["depth"],
        status=row["status"],
        kind=Kind.COMMENT,
        role=row["role"],
        html=row["html"],
        created_at=row["created_at"],
        edited_at=None,
        pinned=False,
        featured=False,
        reply_count=0,
        ups=0,
        downs=0,
        score=0,
        liked_by_owner=False,
        name=name,
        website=website,
        commenter_id=row["commenter_id"],
        picture_digest=picture,
    )
    return conversations.view(comment, parent.name if parent else None, own=True)
