"""A site's commenters, by account or guest's e-mail address: their comments and the decisions on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import accounts, identities
from commentsvc.domain.admin import ban_list, queue_entries, queue_query
from commentsvc.domain.admin.author_ref import AuthorRef
from commentsvc.domain.admin.ban_list import BanTarget
from commentsvc.domain.admin.queue_entries import DecisionSummary, QueueEntry
from commentsvc.domain.admin.queue_filters import Tab
from commentsvc.domain.reading.thread_pages import ANONYMOUS
from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import Comment, Decision, Role

PAGE = 20
HISTORY = 20
LATELY = 200
"""The latest comments, among which recent commenters are searched."""
_ALL = (Tab.HELD, Tab.APPROVED, Tab.SPAM, Tab.TRASH)


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """A site's commenter, as moderators see them."""

    who: AuthorRef
    name: str
    role: Role | None
    """On this site."""
    email: str | None
    website: str | None
    providers: list[str]
    """The providers they log in with."""
    latest: int
    """The id of their latest comment."""
    targets: list[BanTarget]
    """What can be banned, from their latest comment."""


@dataclass(frozen=True, slots=True)
class RecentWriter:
    """A row in the list of recent commenters."""

    who: AuthorRef
    name: str
    email: str | None
    role: Role | None
    latest_at: datetime
    """The time of their latest comment."""


@dataclass(frozen=True, slots=True)
class CommentHistoryPage:
    """A page of a person's comments, the newest first, each with all decisions on it."""

    entries: list[tuple[QueueEntry, list[DecisionSummary]]]
    next_after: int | None
    """The cursor of the next page; None on the last one."""


def find(session: Session, site_id: int, who: AuthorRef) -> PersonDetails:
    """Return a commenter of this site; raises NotFoundError for all others."""
    newest = _newest(session, site_id, who, limit=1)
    comment = session.get(Comment, newest[0]) if newest else None
    if comment is None:
        raise NotFoundError(gettext("Nobody with this name or address has commented on this site."))
    account = comment.commenter
    return PersonDetails(
        who=who,
        name=(account.name if account else comment.guest_name) or ANONYMOUS,
        role=accounts.role_on(session, account.id, site_id) if account else None,
        email=comment.guest_email,
        website=account.website if account else comment.guest_website,
        providers=sorted({one.provider for one in identities.identities_of(session, account.id)})
        if account
        else [],
        latest=comment.id,
        targets=ban_list.possible_bans(comment),
    )


def comment_history(
    session: Session, site_id: int, who: AuthorRef, *, after: int | None = None
) -> CommentHistoryPage:
    """Return a page of a person's comments on this site, with ids below `after`."""
    ids = _newest(session, site_id, who, limit=PAGE + 1, after=after)
    shown = ids[:PAGE]
    entries = queue_entries.load(session, shown)
    decided_often = _decided_often(session, shown)
    return CommentHistoryPage(
        [(entry, _history(session, entry, decided_often)) for entry in entries],
        shown[-1] if len(ids) > PAGE else None,
    )


def recent_writers(session: Session, site_id: int) -> list[RecentWriter]:
    """Return the authors of a site's latest comments, each once."""
    entries = queue_entries.load(session, _newest(session, site_id, None, limit=LATELY))
    writers: dict[AuthorRef, RecentWriter] = {}
    for entry in entries:
        if entry.author is not None and entry.author.is_person:
            writer = RecentWriter(entry.author, entry.name, entry.email, entry.role, entry.created_at)
            writers.setdefault(entry.author, writer)
    return list(writers.values())


def _newest(
    session: Session, site_id: int, who: AuthorRef | None, *, limit: int, after: int | None = None
) -> Sequence[int]:
    """Read one list per status: there is an index for each, but none for all."""
    ids: list[int] = []
    for tab in _ALL:
        query = queue_query.listed(site_id, tab, who)
        if after is not None:
            query = query.where(Comment.id < after)
        ids += session.scalars(query.order_by(Comment.id.desc()).limit(limit))
    return sorted(ids, reverse=True)[:limit]


def _decided_often(session: Session, ids: Sequence[int]) -> set[int]:
    """Return the comments with more than one decision; an entry includes its last one."""
    query = select(Decision.comment_id).where(Decision.comment_id.in_(ids)).group_by(Decision.comment_id)
    return set(session.scalars(query.having(func.count() > 1)))


def _history(session: Session, entry: QueueEntry, decided_often: set[int]) -> list[DecisionSummary]:
    if entry.id in decided_often:
        return queue_entries.decisions_on(session, entry.id, limit=HISTORY)
    return [entry.decision] if entry.decision else []
