"""The latest comments that readers can see: of a thread, of a site, and those that answer one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from commentsvc.domain.reading import queries, thread_pages
from commentsvc.domain.reading.conversations import CommentView
from commentsvc.models import Comment, Kind, Site, Status, Thread

FEED = 50
"""Comments in a feed."""
WINDOW, CHANGES = 200, 30
"""Comments of a thread whose presence an open page can check, and those that it is sent."""
_OWN = 1000
"""How many of a person's own comments are looked at for answers, so that the work has a bound."""


@dataclass(frozen=True, slots=True)
class LatestComment:
    """A comment and the thread that it stands in."""

    comment: CommentView
    thread: Thread


@dataclass(frozen=True, slots=True)
class ThreadChanges:
    """What a page that shows a thread needs to follow it."""

    ids: Sequence[int]
    """The `WINDOW` comments that came last, newest first. If there are fewer, these are all."""
    changed: Sequence[CommentView]
    """Those of them that were written or edited last, oldest first."""


def changes_in(session: Session, thread: Thread | None) -> ThreadChanges:
    """Return the latest comments and edits of a thread."""
    if thread is None:
        return ThreadChanges((), ())
    newest = _visible().where(Comment.thread_id == thread.id).order_by(Comment.id.desc()).limit(WINDOW)
    window = newest.subquery()
    changed = (
        select(Comment.id)
        .where(Comment.id.in_(select(window.c.id)))
        .order_by(func.coalesce(Comment.edited_at, Comment.created_at).desc(), Comment.id.desc())
        .limit(CHANGES)
    )
    views = thread_pages.views_of(
        session, queries.comments().where(Comment.id.in_(session.scalars(changed).all())).order_by(Comment.id)
    )
    return ThreadChanges([row.id for row in session.execute(newest)], views)


def in_thread(session: Session, thread: Thread | None, *, most: int = FEED) -> list[LatestComment]:
    """Return the comments of a thread that came last, newest first."""
    if thread is None:
        return []
    newest = _visible().where(Comment.thread_id == thread.id).order_by(Comment.id.desc())
    return _read(session, newest.limit(most))


def on_site(session: Session, site: Site, *, most: int = FEED) -> list[LatestComment]:
    """Return the newest comments of a site, newest first."""
    newest = _visible().where(Comment.site_id == site.id)
    return _read(session, newest.order_by(Comment.created_at.desc(), Comment.id.desc()).limit(most))


def answers_to(session: Session, commenter_id: int, *, most: int = FEED) -> list[LatestComment]:
    """Return the comments by others that answer a person, newest first, on all sites that offer feeds."""
    own = (
        select(Comment.id)
        .where(Comment.commenter_id == commenter_id, Comment.status == Status.APPROVED)
        .order_by(Comment.id.desc())
        .limit(_OWN)
    )
    parent = aliased(own.subquery())
    answers = (
        _visible()
        .join(parent, parent.c.id == Comment.parent_id)
        .join(Site, Site.id == Comment.site_id)
        .where(Comment.commenter_id.is_distinct_from(commenter_id), Site.comment_feeds)
    )
    return _read(session, answers.order_by(Comment.id.desc()).limit(most))


def answers_to_comment(session: Session, comment_id: int, *, most: int = FEED) -> list[LatestComment]:
    """Return the comments that answer one comment, newest first."""
    answers = _visible().where(Comment.parent_id == comment_id)
    return _read(session, answers.order_by(Comment.id.desc()).limit(most))


def _visible() -> Any:
    """Select the ids of comments and of their threads. Mentions by other pages are no comments."""
    return select(Comment.id, Comment.thread_id).where(
        Comment.status == Status.APPROVED, Comment.kind == Kind.COMMENT
    )


def _read(session: Session, query: Any) -> list[LatestComment]:
    thread_of = {row.id: row.thread_id for row in session.execute(query)}
    # Sorted by id, most parents come before their replies, which need their names.
    wanted = queries.comments().where(Comment.id.in_(thread_of)).order_by(Comment.id)
    views = thread_pages.views_of(session, wanted)
    threads = session.scalars(select(Thread).where(Thread.id.in_(set(thread_of.values()))))
    by_id = {thread.id: thread for thread in threads}
    latest = [LatestComment(view, by_id[thread_of[view.id]]) for view in views if not view.placeholder]
    return sorted(latest, key=lambda item: (item.comment.created_at, item.comment.id), reverse=True)
