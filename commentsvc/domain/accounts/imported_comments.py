"""Gives imported comments to the account of the person who wrote them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import profiles
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Kind

MOST = 2000
"""Comments given at one login; the next login takes more."""


def give(session: Session, *, site_id: int, commenter_id: int, email: str) -> int:
    """Make the imported comments of a guest, by their e-mail address, those of an account; return how many.

    The caller knows that the address is theirs. Comments written here stay: anybody can type an address. Needs
    `begin_write`; the caller commits.
    """
    theirs = (
        select(Comment)
        .where(
            Comment.site_id == site_id,
            Comment.guest_email == email,
            Comment.commenter_id.is_(None),
            Comment.transfer_key.is_not(None),
            Comment.kind == Kind.COMMENT,
        )
        .limit(MOST)
    )
    threads.lock_all(session, {comment.thread_id for comment in session.scalars(theirs)})
    comments = session.scalars(theirs.execution_options(populate_existing=True)).all()
    for comment in comments:
        comment.commenter_id = commenter_id
        comment.guest_name = comment.guest_email = comment.guest_website = None
    if comments:
        session.flush()
        profiles.invalidate_pages_of(session, commenter_id)
    return len(comments)
