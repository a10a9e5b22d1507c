"""Puts comments that somebody wrote as a guest under their account. The caller proves whose the comments are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain import actions, comment_excerpts
from commentsvc.domain.authors import Author
from commentsvc.domain.bans import bans
from commentsvc.domain.fields import Guest
from commentsvc.domain.threads import threads, titles
from commentsvc.domain.votes import voters
from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import Comment, Kind, Revision, Status, Thread

KIND = "author.claim"
"""The action of a claim by the author; not "comments.…", which can be undone."""
LISTED = 50
"""Comments of a browser that are offered at once, the latest first."""
_CLAIMABLE = (Status.APPROVED, Status.HELD)


@dataclass(frozen=True, slots=True)
class GuestComment:
    """A guest's comment in the list of those that they can take."""

    id: int
    title: str | None
    url: str
    """The article's URL."""
    created_at: datetime
    excerpt: str


def count_of_browser(session: Session, site_id: int, author_key_hash: str) -> int:
    """Return how many comments a browser has written on a site as a guest, at most `LISTED`."""
    some = select(Comment.id).where(_of_browser(site_id, author_key_hash)).limit(LISTED)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def list_of_browser(session: Session, site_id: int, author_key_hash: str) -> Sequence[GuestComment]:
    """Return the comments that a browser has written on a site as a guest."""
    query = (
        select(
            Comment.id,
            titles.public_title().label("title"),
            Thread.url,
            Comment.created_at,
            comment_excerpts.excerpt().label("excerpt"),
        )
        .join(Thread, Thread.id == Comment.thread_id)
        .where(_of_browser(site_id, author_key_hash))
        .order_by(Comment.id.desc())
    )
    return [GuestComment(*row) for row in session.execute(query.limit(LISTED))]


def claim_of_browser(
    session: Session,
    site_id: int,
    comment_ids: Collection[int],
    author_key_hash: str,
    author: Author,
    *,
    at: datetime,
) -> int:
    """Put the comments with these ids that the browser wrote as a guest under the account of `author`; return how many.

    Its votes as a guest on the site go with them. Needs `begin_write`; raises BannedError, and NotFoundError if none
    of them is the browser's.
    """
    theirs = _of_browser(site_id, author_key_hash) & Comment.id.in_(sorted(comment_ids)[:LISTED])
    locked = set(session.scalars(select(Comment.thread_id).where(theirs)))
    voted = voters.threads_of_browser(session, site_id, author_key_hash)
    threads.lock_all(session, locked | voted)
    query = select(Comment).where(theirs, Comment.thread_id.in_(locked)).order_by(Comment.id)
    comments = session.scalars(query.execution_options(populate_existing=True)).all()
    if not comments:
        raise NotFoundError(gettext("None of these comments is a guest's of this browser."))
    for comment in comments:
        claim(session, comment, author, at=at)
    if author.commenter_id is not None:
        voters.claim(session, voted, author_key_hash, author.commenter_id, at=at)
    return len(comments)


def claim(session: Session, comment: Comment, author: Author, *, at: datetime) -> None:
    """Put a guest's comment under the account of `author`, and end its receipt.

    The comment's thread is locked. Raises BannedError if the account or the guest is banned from the site, because the
    guest's ban would no longer name the comment; NotFoundError if the comment is removed or a member's.
    """
    if comment.commenter_id is not None or comment.status not in _CLAIMABLE:
        raise NotFoundError(gettext("This comment cannot be put under an account any more."))
    guest = Guest(comment.guest_name, comment.guest_email, comment.guest_website)
    both = replace(author, guest=guest, author_key_hash=comment.author_key_hash)
    bans.require_not_banned(session, comment.site_id, both, at=at)
    comment.commenter_id = author.commenter_id
    comment.guest_name = comment.guest_email = comment.guest_website = comment.receipt_hash = None
    session.flush()
    former = update(Revision).where(Revision.comment_id == comment.id)
    details = former.values(guest_name=None, guest_email=None, guest_website=None)
    change_rows(session, details)
    threads.mark_changed(session, comment.thread_id)
    actions.record(
        session,
        site_id=comment.site_id,
        moderator_id=None,
        kind=KIND,
        summary="Put a comment that they wrote as a guest under their account.",
        at=at,
        facts={"comment": comment.id},
    )


def _of_browser(site_id: int, author_key_hash: str) -> ColumnElement[bool]:
    return and_(
        Comment.site_id == site_id,
        Comment.author_key_hash == author_key_hash,
        Comment.commenter_id.is_(None),
        Comment.kind == Kind.COMMENT,
        Comment.status.in_(_CLAIMABLE),
    )
