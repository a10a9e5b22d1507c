"""Votes of a person whom the service forgets, or who turns out to be another: a guest who has an account now."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.db.session import begin_write
from commentsvc.domain.authors import Author
from commentsvc.domain.threads import threads
from commentsvc.domain.votes import votes
from commentsvc.models import Comment, Vote

BATCH = 200
"""Votes per transaction, during which nobody else can write on SQLite."""


def forget(
    session: Session,
    *,
    commenter_id: int | None = None,
    browsers: Collection[str] = (),
    site_id: int | None = None,
    at: datetime,
) -> None:
    """Delete the votes of an account and of browsers, given by the hashes of their keys, and count without them.

    With `site_id` only on one site. Commits.
    """
    theirs = _cast_by(commenter_id, browsers)
    query = select(Vote.comment_id, Comment.thread_id).join(Comment, Comment.id == Vote.comment_id)
    if site_id is not None:
        query = query.where(Comment.site_id == site_id)
    while rows := session.execute(query.where(theirs).limit(BATCH)).all():
        begin_write(session)
        threads.lock_all(session, {row.thread_id for row in rows})
        _remove(session, theirs & Vote.comment_id.in_([row.comment_id for row in rows]), at=at)
        session.commit()


def forget_at_once(
    session: Session,
    *,
    commenter_id: int | None = None,
    browsers: Collection[str] = (),
    site_id: int | None = None,
    at: datetime,
) -> None:
    """Do what `forget` does, up to `at` and without a commit: for a database that nobody else writes to."""
    theirs = _cast_by(commenter_id, browsers) & (Vote.created_at <= at)
    if site_id is not None:
        theirs &= Vote.comment_id.in_(select(Comment.id).where(Comment.site_id == site_id))
    _remove(session, theirs, at=at)


def forget_votes_on(session: Session, comment_ids: Collection[int]) -> None:
    """Delete all votes on comments that are emptied, with their numbers. Needs the locks of their threads."""
    nothing = update(Comment).where(Comment.id.in_(comment_ids))
    nothing = nothing.values(ups=0, downs=0, score=0, liked_by_owner=False)
    for statement in (delete(Vote).where(Vote.comment_id.in_(comment_ids)), nothing):
        change_rows(session, statement)


def threads_of_browser(session: Session, site_id: int, author_key_hash: str) -> set[int]:
    """Return the threads on a site in which a browser has voted as a guest."""
    here = Vote.voter == votes.name_of_browser(author_key_hash)
    query = select(Comment.thread_id).join(Vote, Vote.comment_id == Comment.id)
    return set(session.scalars(query.where(here, Comment.site_id == site_id).distinct()))


def claim(
    session: Session, thread_ids: Collection[int], author_key_hash: str, commenter_id: int, *, at: datetime
) -> None:
    """Put a browser's votes as a guest in some threads, which are locked, under an account.

    A comment on which both voted, or that is the account's own, loses the guest's vote.
    """
    guest, account = votes.name_of_browser(author_key_hash), votes.name_of(Author(commenter_id=commenter_id))
    here = select(Comment.id).where(Comment.thread_id.in_(thread_ids))
    voted = select(Vote.comment_id).where(Vote.voter == account)
    own = select(Comment.id).where(Comment.thread_id.in_(thread_ids), Comment.commenter_id == commenter_id)
    theirs = (Vote.voter == guest) & Vote.comment_id.in_(here)
    _remove(session, theirs & (Vote.comment_id.in_(voted) | Vote.comment_id.in_(own)), at=at)
    for vote in session.scalars(select(Vote).where(theirs)):
        vote.voter, vote.commenter_id, vote.network_hash = account, commenter_id, None
    session.flush()


def _cast_by(commenter_id: int | None, browsers: Collection[str]) -> ColumnElement[bool]:
    names = [votes.name_of_browser(key) for key in browsers]
    if commenter_id is not None:
        names.append(votes.name_of(Author(commenter_id=commenter_id)))
    return Vote.voter.in_(names)


def _remove(session: Session, which: ColumnElement[bool], *, at: datetime) -> None:
    query = select(Vote, Comment).join(Comment, Comment.id == Vote.comment_id).where(which)
    for vote, comment in session.execute(query.execution_options(populate_existing=True)).all():
        votes.discount(comment, vote)
        session.delete(vote)
        session.flush()
        if comment.liked_by_owner:
            votes.note_owners(session, comment)
        votes.note_change(session, comment.thread_id, at=at)
    session.flush()
