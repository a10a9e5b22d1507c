"""Stores the imported comments of one thread, with the same rows and counts as if they had been posted here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads import threads, titles, visibility
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.domain.threads.visibility import ThreadCounts
from commentsvc.domain.transfer.import_plan import PlannedComment
from commentsvc.domain.transfer.import_report import ImportTally
from commentsvc.domain.votes import scores
from commentsvc.models import Comment, Decision, DeletedImport, Kind, Status, Thread, TitleSource, search_text
from commentsvc.text import markup

_ROWS = 500


@dataclass(frozen=True, slots=True)
class ThreadToStore:
    """Comments of one thread, to be inserted in this order."""

    address: ThreadAddress
    title: str
    published_at: datetime
    comments: Sequence[PlannedComment]
    closed: bool = False
    """Whether a new thread is closed to comments at once."""


@dataclass(frozen=True, slots=True)
class _StoredParent:
    """A comment that others may reply to."""

    id: int
    root_id: int
    depth: int


def stored_comments(session: Session, site_id: int, keys: Iterable[str]) -> dict[str, Row[Any]]:
    """Return what matters of the site's comments with these transfer keys, by key."""
    comments: dict[str, Row[Any]] = {}
    wanted = list(keys)
    for at in range(0, len(wanted), _ROWS):
        query = (
            select(
                *(Comment.transfer_key, Comment.id, Comment.root_id, Comment.depth, Comment.kind),
                *(Comment.created_at, Comment.digest, Comment.status),
                Comment.thread_id,
                Thread.key.label("thread"),
                Thread.url,
            )
            .join(Thread, Thread.id == Comment.thread_id)
            .where(Comment.site_id == site_id, Comment.transfer_key.in_(wanted[at : at + _ROWS]))
        )
        comments.update({row.transfer_key: row for row in session.execute(query)})
    return comments


def deleted(session: Session, site_id: int, keys: Iterable[str]) -> set[str]:
    """Return those of the transfer keys that belonged to comments deleted from the site."""
    deleted_keys: set[str] = set()
    wanted = list(keys)
    for at in range(0, len(wanted), _ROWS):
        query = select(DeletedImport.transfer_key).where(
            DeletedImport.site_id == site_id, DeletedImport.transfer_key.in_(wanted[at : at + _ROWS])
        )
        deleted_keys.update(session.scalars(query))
    return deleted_keys


def store(
    session: Session, discussion: ThreadToStore, *, at: datetime, action_id: int, tally: ImportTally
) -> None:
    """Insert the comments that are not stored yet. Needs `begin_write`; the caller commits.

    `action_id` is the import in the log, which undoes it.
    """
    address = discussion.address
    thread = threads.find(session, address)
    if thread is None:
        thread = threads.find_or_create(
            session, address, title=discussion.title, at=discussion.published_at, source=TitleSource.IMPORT
        )
        thread.closed_at = at if discussion.closed else None
    threads.lock(session, thread.id)
    session.refresh(thread)  # its title may have been read from the article meanwhile
    _complete(session, thread, discussion)
    keys = {comment.key for comment in discussion.comments} | {
        comment.parent_key for comment in discussion.comments if comment.parent_key
    }
    there = stored_comments(session, address.site.id, keys)
    new = [comment for comment in discussion.comments if comment.key not in there]
    tally.already_there += len(discussion.comments) - len(new)
    if new:
        thread.imported = True
        places = {
            key: _StoredParent(row.id, row.root_id or row.id, row.depth)
            for key, row in there.items()
            if row.thread == thread.key and row.kind is Kind.COMMENT
        }
        ids = _insert(session, thread, new, at=at, action_id=action_id)
        parents, replies = _attach(session, dict(zip(ids, new, strict=True)), places, tally)
        _publish(session, thread, new, parents, replies)


def _complete(session: Session, thread: Thread, discussion: ThreadToStore) -> None:
    """Use the title and date from the other system: the first comment here is later than the article."""
    titles.from_import(session, thread, discussion.title)
    thread.created_at = min(thread.created_at, discussion.published_at)


def _insert(
    session: Session, thread: Thread, new: Sequence[PlannedComment], *, at: datetime, action_id: int
) -> Sequence[int]:
    rows = [_row(thread, comment) for comment in new]
    query = insert(Comment).returning(Comment.id, sort_by_parameter_order=True)
    ids = session.scalars(query, rows).all()
    decisions = [
        {
            "comment_id": comment_id,
            "status": comment.status,
            "reasons": [Verdict(CheckName.IMPORT, comment.status, comment.reason).as_row()],
            "created_at": at,
            "action_id": action_id,
        }
        for comment_id, comment in zip(ids, new, strict=True)
    ]
    session.execute(insert(Decision), decisions)
    return ids


def _row(thread: Thread, comment: PlannedComment) -> dict[str, Any]:
    row = {
        "site_id": thread.site_id,
        "thread_id": thread.id,
        "kind": comment.kind,
        "status": comment.status,
        "shown": comment.status is Status.APPROVED,
        "format": comment.draft.format,
        "source": comment.draft.source,
        "html": comment.draft.rendered.html,
        "renderer": markup.VERSION,
        "digest": comment.draft.digest,
        "guest_name": comment.guest.name,
        "guest_email": comment.guest.email,
        "guest_website": comment.guest.website,
        "mention_title": comment.mention_title,
        "created_at": comment.created_at,
        "role": comment.role,
        "commenter_id": comment.commenter_id,
        "edited_at": comment.edited_at,
        "pinned": comment.pinned,
        "ups": comment.ups,
        "downs": comment.downs,
        "score": scores.score(comment.ups, comment.downs),
        "transfer_key": comment.key,
    }
    return row | {"search_text": search_text(Comment, row)}


def _attach(
    session: Session, new: dict[int, PlannedComment], places: dict[str, _StoredParent], tally: ImportTally
) -> tuple[set[int], Counter[int]]:
    """Attach replies to their parents; return the parents of approved replies, and their number below each root."""
    answers: list[dict[str, int]] = []
    replies: Counter[int] = Counter()
    parents: set[int] = set()
    for comment_id, comment in new.items():
        place = _StoredParent(comment_id, comment_id, 0)
        parent = places.get(comment.parent_key) if comment.parent_key else None
        tally.add(comment, orphan=comment.parent_key is not None and parent is None)
        if parent is not None:
            place = _StoredParent(comment_id, parent.root_id, parent.depth + 1)
            answers.append(
                {"id": place.id, "parent_id": parent.id, "root_id": place.root_id, "depth": place.depth}
            )
            if comment.status is Status.APPROVED:
                replies[parent.root_id] += 1
                parents.add(parent.id)
        if comment.kind is Kind.COMMENT:
            places[comment.key] = place
    if answers:
        session.execute(update(Comment), answers)
    return parents, replies


def _publish(
    session: Session,
    thread: Thread,
    new: Sequence[PlannedComment],
    parents: set[int],
    replies: Counter[int],
) -> None:
    """Count the approved comments; the article is not asked for its title if the import had one."""
    approved = [comment for comment in new if comment.status is Status.APPROVED]
    if approved:
        comments = sum(comment.kind is Kind.COMMENT for comment in approved)
        counts = ThreadCounts(comments, replies, changes=len(approved))
        asks_title = thread.title_source in {None, TitleSource.BROWSER}
        visibility.publish(session, thread.id, counts, parents=parents, asks_title=asks_title)
