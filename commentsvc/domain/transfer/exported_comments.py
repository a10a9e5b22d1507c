"""Reads a site's comments for the formats of other systems, article by article, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from commentsvc.db.session import begin_snapshot
from commentsvc.domain.archive import records
from commentsvc.domain.threads import titles
from commentsvc.models import Comment, Commenter, Role, Thread

BATCH = 500
"""Comments that are read at once."""


@dataclass(frozen=True, slots=True)
class ExportedComment:
    """A comment with its author's public name, and what identifies it and the one that it answers."""

    uid: str
    parent_uid: str
    """Empty for a comment that is no reply."""
    row: Any
    """The columns of `_COLUMNS`."""

    @property
    def name(self) -> str:
        """The author's name, or the title of the page that mentions the article."""
        return self.row.mention_title or self.row.account_name or self.row.guest_name or ""

    @property
    def website(self) -> str:
        return self.row.account_website or self.row.guest_website or ""


_parent = aliased(Comment)
_COLUMNS = (
    *(
        Comment.id,
        Comment.parent_id,
        Comment.kind,
        Comment.status,
        Comment.format,
        Comment.source,
        Comment.html,
    ),
    *(Comment.commenter_id, Comment.role, Comment.pinned, Comment.created_at, Comment.edited_at),
    *(Comment.guest_name, Comment.guest_email, Comment.guest_website, Comment.mention_title),
    *(Comment.transfer_key, _parent.created_at.label("parent_at"), _parent.transfer_key.label("parent_key")),
    *(Commenter.name.label("account_name"), Commenter.website.label("account_website")),
)


def articles(session: Session, site_id: int) -> Iterator[tuple[Any, Iterator[ExportedComment]]]:
    """Yield a site's articles that have comments, each with its comments: those of one are read before the next.

    An article has `id`, `key`, `url`, `title`, `created_at` and `closed_at`.
    """
    begin_snapshot(session)
    has_comments = select(Comment.id).where(Comment.thread_id == Thread.id).exists()
    ids = session.scalars(
        select(Thread.id).where(Thread.site_id == site_id, has_comments).order_by(Thread.id)
    ).all()
    columns = (Thread.id, Thread.key, Thread.url, titles.public_title().label("title"), Thread.created_at)
    for thread_id in ids:
        article = session.execute(select(*columns, Thread.closed_at).where(Thread.id == thread_id)).one()
        yield article, _comments(session, thread_id)
    session.rollback()


def owners(session: Session, site_id: int) -> dict[int, str]:
    """Return the accounts, with their names, that have written as the site's owner."""
    query = select(Commenter.id, Commenter.name).join(Comment, Comment.commenter_id == Commenter.id)
    query = (
        query.where(Comment.site_id == site_id, Comment.role == Role.OWNER).distinct().order_by(Commenter.id)
    )
    return {row.id: row.name for row in session.execute(query)}


def _comments(session: Session, thread_id: int) -> Iterator[ExportedComment]:
    query = (
        select(*_COLUMNS)
        .outerjoin(_parent, _parent.id == Comment.parent_id)
        .outerjoin(Commenter, Commenter.id == Comment.commenter_id)
        .where(Comment.thread_id == thread_id)
        .order_by(Comment.id)
    )
    for row in session.execute(query, execution_options={"yield_per": BATCH}):
        parent = records.uid(row.parent_id, row.parent_at, row.parent_key) if row.parent_id else ""
        yield ExportedComment(records.uid(row.id, row.created_at, row.transfer_key), parent, row)
