"""Finds comments by words: in their text, their author's name, or their article's title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select, union
from sqlalchemy.orm import Session

from commentsvc.integrations import full_text
from commentsvc.models import Comment, Commenter, Status, Thread

MOST_NAMED = 10
"""Limit of matching articles, and of matching people; the newest ones count."""
_MOST_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class Search:
    """The words of a search, with the ids of articles and people that match them."""

    phrases: Sequence[full_text.Phrase]
    articles: Sequence[int]
    people: Sequence[int]


def prepare(session: Session, site_id: int, typed: str) -> Search:
    """Parse the typed words and look up the articles and people that match them."""
    wanted = full_text.phrases(typed)
    if not wanted:
        return Search((), (), ())
    articles = full_text.newest(session, "thread", wanted, below=None, limit=_MOST_LOOKED_AT)
    people = full_text.newest(session, "commenter", wanted, below=None, limit=MOST_NAMED)
    return Search(
        phrases=wanted,
        articles=_few(session, select(Thread.id).where(Thread.site_id == site_id), Thread.id, articles),
        people=_few(session, select(Commenter.id), Commenter.id, people),
    )


def newest(
    session: Session,
    search: Search,
    site_id: int,
    statuses: Sequence[Status],
    *,
    below: int | None,
    limit: int,
) -> Any:
    """Select the ids of the newest matching comments, at most `limit`; some may have another site or status.

    Returns None without words, or if the words are so frequent that another query is faster.
    """
    if not search.phrases:
        return None
    text = full_text.newest(session, "comment", search.phrases, below=below, limit=limit)
    if text is None:
        return None
    named = [Comment.thread_id == one for one in search.articles]
    named += [and_(Comment.commenter_id == one, Comment.site_id == site_id) for one in search.people]
    if not named:
        return text
    parts = [
        _newest_of(and_(condition, Comment.status == status), below, limit)
        for condition in named
        for status in statuses
    ]
    every = union(*(select(part.subquery().c.id) for part in (text, *parts))).subquery()
    return select(every.c.id).order_by(every.c.id.desc()).limit(limit)


def matches(session: Session, search: Search) -> ColumnElement[bool]:
    """Return an SQL condition: whether a comment matches."""
    if not search.phrases:
        return false()
    text = full_text.matches(session, "comment", search.phrases, Comment.id)
    return or_(text, Comment.thread_id.in_(search.articles), Comment.commenter_id.in_(search.people))


def _few(session: Session, query: Any, key: Any, ids: Any) -> list[int]:
    if ids is None:
        return []
    named = query.where(key.in_(select(ids.subquery().c.id)))
    return list(session.scalars(named.order_by(key.desc()).limit(MOST_NAMED)))


def _newest_of(condition: ColumnElement[bool], below: int | None, limit: int) -> Any:
    query = select(Comment.id).where(condition)
    if below is not None:
        query = query.where(Comment.id < below)
    return query.order_by(Comment.id.desc()).limit(limit)
