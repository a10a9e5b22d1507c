"""Slow mode: in a heated thread, everybody has to wait between two comments."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import Session

from commentsvc.domain.authors import Author
from commentsvc.domain.bans import bans
from commentsvc.domain.comments.insert_comment import TargetThread
from commentsvc.errors import SlowModeError
from commentsvc.models import Comment, Status


def require(session: Session, site_id: int, thread: TargetThread, author: Author, *, at: datetime) -> None:
    """Raise SlowModeError if this author wrote in the thread too recently.

    An account is recognised by its id, a guest by the browser's key or the network: a new key costs nothing, so guests
    on one network share a turn. The network's hash may have changed with the month meanwhile.
    """
    if not thread.slow_seconds:
        return
    pause = timedelta(seconds=thread.slow_seconds)
    if author.commenter_id is not None:
        same = Comment.commenter_id == author.commenter_id
    else:
        same = and_(Comment.commenter_id.is_(None), or_(false(), *_marks(author, since=at - pause)))
    last = session.scalar(
        select(func.max(Comment.created_at)).where(
            # By the site's latest comments, which are few: an index on thread and time would mislead readers' queries.
            Comment.site_id == site_id,
            Comment.status.in_(Status),
            Comment.created_at > at - pause,
            Comment.created_at <= at,
            Comment.thread_id + 0 == thread.id,
            same,
        )
    )
    require_pause(thread.slow_seconds, last, at=at)


def require_pause(slow_seconds: int | None, last: datetime | None, *, at: datetime) -> None:
    """Raise SlowModeError if `last`, the time of a comment or of an edit before this one, is too recent."""
    if not slow_seconds or last is None:
        return
    left = math.ceil((last - at).total_seconds() + slow_seconds)
    if left > 0:
        raise SlowModeError(left, every=slow_seconds)


def _marks(author: Author, *, since: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions that recognise a guest; missing values do not make two guests the same."""
    hashes = {author.network_hash}
    if author.network_hash_in is not None:
        hashes.add(author.network_hash_in(bans.month_of(since)))
    marks = [(Comment.author_key_hash, author.author_key_hash)]
    marks += [(Comment.network_hash, network_hash) for network_hash in hashes]
    return [column == value for column, value in marks if value is not None]
