"""Finds commenters of a site by name or, for guests, by e-mail address."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from commentsvc.domain.admin import queue_entries, queue_query
from commentsvc.domain.admin.author_ref import AuthorKind, AuthorRef
from commentsvc.domain.admin.people import RecentWriter
from commentsvc.domain.admin.queue_filters import Tab
from commentsvc.host_names import one_address
from commentsvc.integrations import full_text
from commentsvc.models import Comment, Commenter
from commentsvc.search_words import search_text

MOST = 50
LONGEST = 200
_LOOK = 5_000
"""Matching comments, the newest first, that are searched for guests."""
_ACCOUNTS = 500
_LISTS = (Tab.HELD, Tab.APPROVED, Tab.SPAM, Tab.TRASH)


def find(session: Session, site_id: int, typed: str) -> list[RecentWriter]:
    """Return up to `MOST` commenters of a site whose name or address contains all these words.

    The last word may be a prefix. The most recent commenters come first.
    """
    phrases = full_text.phrases(typed[:LONGEST] + "*")
    if not phrases:
        return []
    words = [word.rstrip("*") for phrase in phrases for word in phrase[0]]
    full_text.use_indexes(session)
    latest: dict[AuthorRef, int] = {}
    for who in _accounts(session, phrases):
        _note(latest, who, _newest_by(session, site_id, who))
    for comment_id, who in _guests(session, site_id, typed.strip(), words, phrases):
        _note(latest, who, comment_id)
    ids = sorted(latest.values(), reverse=True)[:MOST]
    return [
        RecentWriter(entry.author, entry.name, entry.email, entry.role, entry.created_at)
        for entry in queue_entries.load(session, ids)
        if entry.author is not None
    ]


def _note(latest: dict[AuthorRef, int], who: AuthorRef, comment_id: int | None) -> None:
    if comment_id is not None:
        latest[who] = max(comment_id, latest.get(who, 0))


def _accounts(session: Session, phrases: Sequence[full_text.Phrase]) -> list[AuthorRef]:
    ids = full_text.newest(session, "commenter", phrases, below=None, limit=_ACCOUNTS)
    if ids is None:
        return []
    named = select(Commenter.id).where(Commenter.id.in_(select(ids.subquery().c.id)))
    return [AuthorRef.of_account(one) for one in session.scalars(named)]


def _guests(
    session: Session, site_id: int, typed: str, words: list[str], phrases: Sequence[full_text.Phrase]
) -> list[tuple[int, AuthorRef]]:
    """Return matching comments of guests with an e-mail address, and their authors; exact matches need no index."""
    matching = []
    columns = select(Comment.id, Comment.guest_name, Comment.guest_email).where(
        Comment.site_id == site_id, Comment.commenter_id.is_(None), Comment.guest_email.is_not(None)
    )
    exactly = or_(Comment.guest_email == _address(typed), Comment.guest_name == typed)
    rows = list(session.execute(columns.where(exactly).limit(_LOOK)))
    ids = full_text.newest(session, "comment", phrases, below=None, limit=_LOOK)
    if ids is not None:
        rows += session.execute(columns.where(Comment.id.in_(select(ids.subquery().c.id))))
    for row in rows:
        searched = search_text(row.guest_name, row.guest_email)
        if all(word in searched for word in words):
            matching.append((row.id, AuthorRef(AuthorKind.EMAIL, row.guest_email)))
    return matching


def _newest_by(session: Session, site_id: int, who: AuthorRef) -> int | None:
    newest = [
        session.scalar(queue_query.listed(site_id, tab, who).order_by(Comment.id.desc()).limit(1))
        for tab in _LISTS
    ]
    return max((comment_id for comment_id in newest if comment_id is not None), default=None)


def _address(typed: str) -> str:
    """Return an e-mail address as it is stored, and anything else as it was typed."""
    try:
        return one_address(typed)
    except ValueError:
        return typed
