"""Notes which comments became visible, in the commit that shows them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, exists, insert, literal_column, select
from sqlalchemy.orm import Session

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models import Kind, now

_NOTICE = Base.metadata.tables["notice"]
_COMMENT = Base.metadata.tables["comment"]
_NEW = select(
    _COMMENT.c.id,
    bindparam("at", type_=UTCDateTime()),
    literal_column("''"),
).where(
    _COMMENT.c.id.in_(bindparam("ids", expanding=True)),
    _COMMENT.c.kind == Kind.COMMENT,
    _COMMENT.c.transfer_key.is_(None),
    ~exists().where(_NOTICE.c.comment_id == _COMMENT.c.id),
)
_ADD = insert(_NOTICE).from_select(["comment_id", "created_at", "done_up_to"], _NEW, include_defaults=False)


def record(session: Session, comment_ids: Collection[int], *, at: datetime | None = None) -> None:
    """Note comments that have become visible, each only the first time; needs their threads' locks.

    Imported comments and pingbacks are left out: nobody gets mail about them.
    """
    if comment_ids:
        session.execute(_ADD, {"ids": list(comment_ids), "at": at or now()})
