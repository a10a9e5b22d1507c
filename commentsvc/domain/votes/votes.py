"""Readers vote on comments: members by their account, guests by their browser's key or else by their network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.domain.authors import Author
from commentsvc.domain.bans import bans
from commentsvc.domain.fields import LARGEST_ROW
from commentsvc.domain.threads import threads
from commentsvc.domain.votes.scores import score
from commentsvc.errors import ForbiddenError, InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import Comment, Kind, Likes, Membership, Role, Site, Status, Thread, Vote

GUESTS_PER_NETWORK = 3
"""Guests of one network whose votes on a comment count, because a browser's key costs nothing."""
MOST = 500
"""Votes of a reader in a thread that a page shows, the latest."""


@dataclass(frozen=True, slots=True)
class VoteState:
    """A comment's numbers as shown to a reader who has voted on it."""

    id: int
    value: int
    """Their vote: 1, -1, or 0 for none."""
    number: int
    """What the page shows: how many like it, or the votes up less those down."""


def find(session: Session, comment_id: int) -> Comment:
    """Return a comment that readers can vote on; raises NotFoundError, the same for all that they cannot."""
    comment = session.get(Comment, comment_id) if comment_id <= LARGEST_ROW else None
    if comment is None or not _is_votable(session, comment):
        raise NotFoundError(gettext("This comment no longer exists."))
    return comment


def cast(session: Session, comment_id: int, voter: Author, value: int, *, at: datetime) -> VoteState:
    """Set a reader's vote on a comment: 1, -1, or 0 to take it back. Needs `begin_write`.

    Setting the same vote again changes nothing. Raises NotFoundError, ForbiddenError, InvalidFieldsError.
    """
    comment = find(session, comment_id)
    threads.lock_of(session, comment, "status", "ups", "downs", "liked_by_owner")
    site = session.get_one(Site, find(session, comment_id).site_id)
    _require_allowed(session, site, comment, voter, value, at=at)
    query = select(Vote).where(Vote.comment_id == comment_id, Vote.voter.in_(_names(voter)))
    former = session.scalars(query).all()
    if [(vote.voter, vote.value) for vote in former] != ([(name_of(voter), value)] if value else []):
        before = comment.ups, comment.downs
        for vote in former:
            discount(comment, vote)
            session.delete(vote)
        session.flush()
        if value:
            _add(session, comment, voter, value, at=at)
        if voter.role is Role.OWNER or comment.liked_by_owner:
            note_owners(session, comment)
        if (comment.ups, comment.downs) != before:
            note_change(session, comment.thread_id, at=at)
    states = _states(session, site, Comment.id == comment_id, _names(voter))
    return states[0] if states else VoteState(comment_id, 0, _number(site, comment.ups, comment.downs))


def of_reader(session: Session, site: Site, thread: Thread | None, voter: Author) -> Sequence[VoteState]:
    """Return a reader's votes on the comments of a thread that are shown, in one query."""
    if thread is None or (voter.commenter_id is None and voter.author_key_hash is None):
        return []
    # `coalesce` hides the thread from the engines, which would walk its comments instead of the reader's votes.
    return _states(session, site, func.coalesce(Comment.thread_id, 0) == thread.id, _names(voter))


def name_of(voter: Author) -> str:
    """Return `Vote.voter` of a reader."""
    if voter.commenter_id is not None:
        return f"account:{voter.commenter_id}"
    if voter.author_key_hash:
        return name_of_browser(voter.author_key_hash)
    return f"network:{voter.network_hash}"


def name_of_browser(author_key_hash: str) -> str:
    """Return `Vote.voter` of a guest with a key."""
    return f"key:{author_key_hash}"


def discount(comment: Comment, vote: Vote) -> None:
    """Take a vote out of a comment's numbers, whose thread is locked."""
    if vote.counted:
        _count(comment, vote.value, -1)


def note_owners(session: Session, comment: Comment) -> None:
    """Set whether an owner of the site likes a comment, whose thread is locked."""
    is_owners = (Membership.commenter_id == Vote.commenter_id) & (Membership.site_id == comment.site_id)
    of_owners = exists().where(
        Vote.comment_id == comment.id, Vote.value > 0, is_owners, Membership.role == Role.OWNER
    )
    comment.liked_by_owner = bool(session.scalar(select(of_owners)))
    session.flush()


def note_change(session: Session, thread_id: int, *, at: datetime) -> None:
    """Note that cached pages of a thread do not show its latest votes."""
    change = update(Thread).where(Thread.id == thread_id, Thread.votes_since.is_(None)).values(votes_since=at)
    change_rows(session, change)


def _is_votable(session: Session, comment: Comment) -> bool:
    is_shown = comment.status is Status.APPROVED and comment.kind is Kind.COMMENT
    return is_shown and session.get_one(Site, comment.site_id).likes is not Likes.OFF


def _require_allowed(
    session: Session, site: Site, comment: Comment, voter: Author, value: int, *, at: datetime
) -> None:
    if value not in ((1, 0) if site.likes is Likes.LIKES else (1, 0, -1)):
        raise InvalidFieldsError({"vote": gettext("There is no such vote.")})
    is_by_account = voter.commenter_id is not None and comment.commenter_id == voter.commenter_id
    if is_by_account or (voter.author_key_hash and comment.author_key_hash == voter.author_key_hash):
        raise ForbiddenError(gettext("This is your own comment."))
    if voter.commenter_id is None and not site.guests:
        raise ForbiddenError(gettext("Please log in first."))
    bans.require_not_banned(session, site.id, voter, at=at)


def _names(voter: Author) -> list[str]:
    """Return the names of a reader's votes: of a member also those as a guest, in the same browser."""
    names = [name_of(voter)]
    if voter.commenter_id is not None and voter.author_key_hash:
        names.append(name_of_browser(voter.author_key_hash))
    return names


def _add(session: Session, comment: Comment, voter: Author, value: int, *, at: datetime) -> None:
    is_guest = voter.commenter_id is None
    vote = Vote(
        voter=name_of(voter),
        comment_id=comment.id,
        commenter_id=voter.commenter_id,
        network_hash=voter.network_hash if is_guest else None,
        value=value,
        counted=not is_guest or _guests_counted(session, comment, voter) < GUESTS_PER_NETWORK,
        created_at=at,
    )
    session.add(vote)
    if vote.counted:
        _count(comment, value, 1)
    session.flush()


def _guests_counted(session: Session, comment: Comment, voter: Author) -> int:
    query = select(func.count()).where(
        Vote.comment_id == comment.id, Vote.network_hash == voter.network_hash, Vote.counted
    )
    return session.scalar(query) or 0


def _count(comment: Comment, value: int, number: int) -> None:
    if value > 0:
        comment.ups = max(0, comment.ups + number)
    else:
        comment.downs = max(0, comment.downs + number)
    comment.score = score(comment.ups, comment.downs)


def _number(site: Site, ups: int, downs: int) -> int:
    return ups if site.likes is Likes.LIKES else ups - downs


def _states(
    session: Session, site: Site, which: ColumnElement[bool], names: Sequence[str]
) -> list[VoteState]:
    """Return a reader's votes. One that does not count is in the numbers that its voter sees."""
    query = (
        select(Vote.comment_id, Vote.value, Vote.counted, Comment.ups, Comment.downs)
        .join(Comment, Comment.id == Vote.comment_id)
        .where(Vote.voter.in_(names), which, Comment.status == Status.APPROVED)
        .order_by(Vote.created_at.desc(), Vote.voter.desc())
        .limit(MOST)
    )
    states: dict[int, VoteState] = {}
    for comment_id, value, counted, ups, downs in session.execute(query):
        if not counted:
            ups, downs = ups + (value > 0), downs + (value < 0)
        states.setdefault(comment_id, VoteState(comment_id, value, _number(site, ups, downs)))
    return list(states.values())
