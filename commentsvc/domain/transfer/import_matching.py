"""Finds out which comments of an article a site has already.

Their numbers alone do not tell: some systems count anew in each article, and a blog that has moved exports the same
comments as another source.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from commentsvc.domain import fields
from commentsvc.domain.comments import comment_text
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.domain.transfer import import_plan, import_store
from commentsvc.domain.transfer.pending_comments import PendingComments, Written
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.errors import InvalidFieldsError
from commentsvc.models import Comment

_DIGITS = "0123456789"


class State(Enum):
    """What the site has of a comment."""

    NEW = auto()
    THERE = auto()
    """Stored before this import."""
    REPEATED = auto()
    """The same comment stands in the file a second time."""
    DELETED = auto()
    """Deleted from the site after an earlier import."""


@dataclass(frozen=True, slots=True)
class CommentMatch:
    """The state of a comment, and the key under which it is stored or will be."""

    key: str
    state: State
    stored: Row[Any] | None = None
    """Its row, if it was stored before."""


class ImportMatching:
    """Matches the comments of a file, article by article, with those that the site has."""

    def __init__(self, session: Session, site_id: int) -> None:
        self._session, self._site_id = session, site_id
        self._newest = session.scalar(select(func.max(Comment.id))) or 0
        self.pending = PendingComments()
        """The comments that this import has planned but not stored, by key."""
        self.written: dict[str, Written] = {}
        """What tells apart the comments of the article that was matched last, by their ids."""
        self._prefixes: dict[str, list[str]] = {}

    def match(
        self, article: ImportedThread, address: ThreadAddress, records: Sequence[ImportedComment]
    ) -> dict[str, CommentMatch]:
        """Return the match of each comment by its id; the ids must differ."""
        written = self.written = {record.id: _written(article, address, record) for record in records}
        keys = {record.id: import_plan.transfer_key(article, record.id) for record in records}
        rows = import_store.stored_comments(self._session, self._site_id, keys.values())
        place = self._former_thread(written, keys, rows)
        matches: dict[str, CommentMatch] = {}
        for number, key in keys.items():
            row = rows.get(key)
            if row is not None and row.thread == address.key:
                settled = self._judged(key, row, written[number], place)
                if settled:
                    matches[number] = settled
        left = [number for number in keys if number not in matches]
        if left:
            self._match_others(
                article, {number: written[number] for number in left}, keys, rows, place, matches
            )
        return matches

    def _match_others(
        self,
        article: ImportedThread,
        written: dict[str, Written],
        keys: dict[str, str],
        rows: dict[str, Row[Any]],
        place: str | None,
        matches: dict[str, CommentMatch],
    ) -> None:
        """Match the comments that are not in the thread under their own number."""
        gone = import_store.deleted(self._session, self._site_id, (keys[number] for number in written))
        free = [
            number
            for number in written
            if not (keys[number] in rows or keys[number] in self.pending or keys[number] in gone)
        ]
        matches.update(self._from_other_sources(article, {number: written[number] for number in free}))
        for number in free:
            matches.setdefault(number, CommentMatch(keys[number], State.NEW))
        others = {
            number: self._other_keys(article, number, one)
            for number, one in written.items()
            if number not in matches
        }
        wanted = [key for pair in others.values() for key in pair]
        rows = rows | import_store.stored_comments(self._session, self._site_id, wanted)
        gone |= import_store.deleted(self._session, self._site_id, wanted)
        for number, pair in others.items():
            candidates = [*pair, keys[number]]  # a key that fits only this article says more than a number
            judged = (self._judged(key, rows.get(key), written[number], place) for key in candidates)
            matches[number] = next(
                filter(None, judged),
                next(
                    (CommentMatch(key, State.DELETED) for key in candidates if key in gone),
                    CommentMatch(pair[pair[0] in rows or pair[0] in self.pending], State.NEW),
                ),
            )

    def _judged(
        self, key: str, row: Row[Any] | None, written: Written, place: str | None
    ) -> CommentMatch | None:
        """Return a match if the comment stored or planned under `key` is this one."""
        planned = self.pending.get(key)
        if planned is not None:
            return CommentMatch(key, State.REPEATED) if planned == written else None
        if row is None:
            return None
        is_same_time, is_same_text = row.created_at == written.created_at, row.digest == written.digest
        if row.id > self._newest:
            is_same = is_same_time and is_same_text and row.thread == written.thread
            return CommentMatch(key, State.REPEATED) if is_same else None
        if row.thread in {written.thread, place}:
            is_same = is_same_time or is_same_text  # it may have been edited since
        else:
            is_same = is_same_time and is_same_text
        return CommentMatch(key, State.THERE, row) if is_same else None

    def _former_thread(
        self, written: dict[str, Written], keys: dict[str, str], rows: dict[str, Row[Any]]
    ) -> str | None:
        """Return the key of the other thread in which most of the article's comments lie, word for word."""
        threads = Counter(
            row.thread
            for number, one in written.items()
            if (row := rows.get(keys[number])) is not None
            and row.id <= self._newest
            and (row.created_at, row.digest) == (one.created_at, one.digest)
        )
        return max(threads, key=threads.__getitem__, default=None)

    def _from_other_sources(
        self, article: ImportedThread, written: dict[str, Written]
    ) -> dict[str, CommentMatch]:
        """Return the comments that came from the same blog under another address, word for word the same."""
        own = import_plan.transfer_key(article, "")
        prefixes = [prefix for prefix in self._sources(article.system) if prefix != own] if written else []
        matches: dict[str, CommentMatch] = {}
        for prefix in prefixes:
            keys = {number: f"{prefix}{number}" for number in written if number not in matches}
            rows = import_store.stored_comments(self._session, self._site_id, keys.values())
            for number, key in keys.items():
                row = rows.get(key)
                if row is None or row.id > self._newest:
                    continue
                if (row.created_at, row.digest) == (written[number].created_at, written[number].digest):
                    matches[number] = CommentMatch(key, State.THERE, row)
        return matches

    def _sources(self, system: str) -> list[str]:
        """Return how the site's transfer keys of a system begin, if its comments have numbers."""
        if system not in self._prefixes:
            prefix = func.rtrim(Comment.transfer_key, _DIGITS)
            query = (
                select(prefix)
                .where(
                    Comment.site_id == self._site_id,
                    Comment.transfer_key.startswith(f"{system.lower()}:", autoescape=True),
                    prefix.endswith(":"),
                )
                .distinct()
            )
            self._prefixes[system] = sorted(self._session.scalars(query))
        return self._prefixes[system]

    @staticmethod
    def _other_keys(article: ImportedThread, number: str, written: Written) -> tuple[str, str]:
        """Return keys for a comment whose number another one has: by its article, and by what it says."""
        place = article.id or _short_hash(written.thread)
        what = _short_hash(f"{written.thread} {written.created_at} {written.digest}")
        return (
            import_plan.transfer_key(article, f"{number}~{place}"),
            import_plan.transfer_key(article, f"{number}~{what}"),
        )


def _written(article: ImportedThread, address: ThreadAddress, record: ImportedComment) -> Written:
    """Return what tells a comment of the file from others of its number."""
    try:
        digest = comment_text.digest_of(fields.text(record.text, longest=import_plan.TEXT_LONGEST))
    except InvalidFieldsError:  # it will not be imported
        digest = comment_text.digest_of(record.text)
    return Written(address.key, digest, record.created_at or article.published_at)


def with_own_ids(records: Sequence[ImportedComment]) -> tuple[list[ImportedComment], int]:
    """Return the comments of an article with an id of their own each, and how many were listed twice."""
    by_id: dict[str, ImportedComment] = {}
    repeated = 0
    for record in records:
        known = by_id.get(record.id)
        if known is not None and replace(record, parent_id=known.parent_id) != known:
            record = replace(
                record, id=f"{record.id}~{_short_hash(repr((record.created_at, record.name, record.text)))}"
            )
            known = by_id.get(record.id)
        if known is None:
            by_id[record.id] = record
        else:
            repeated += 1
    return list(by_id.values()), repeated


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:12]
