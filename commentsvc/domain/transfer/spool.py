"""Sorts the comments of an export by article, on disk: most systems write them in the order of posting."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from commentsvc.domain.comments import comment_text
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.domain.transfer.reply_order import ReplyOrder
from commentsvc.errors import TransferError
from commentsvc.models import Kind, Role, Status, TextFormat

PIECE = 4 << 20
"""Characters of one article's comments that are in memory at a time: thousands of comments."""
PINNED_MOST = 3
"""Pinned comments of one article, as `thread_admin.pins` allows."""
DELETED = "deleted there, with no reply to show"
_TABLES = """
CREATE TABLE article (key TEXT PRIMARY KEY, body TEXT);
CREATE TABLE person (key TEXT PRIMARY KEY, body TEXT);
CREATE TABLE comment (
    number INTEGER PRIMARY KEY, article TEXT, id TEXT, parent TEXT, written TEXT, seen INTEGER, person TEXT, body TEXT
);
CREATE TABLE outline (position INTEGER PRIMARY KEY, number INTEGER, id TEXT, parent TEXT, seen INTEGER, size INTEGER);
CREATE INDEX outline_id ON outline (id);
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
"""
_ADD_ARTICLE = "INSERT OR REPLACE INTO article VALUES (?, ?)"
_ADD_UNKNOWN_ARTICLE = "INSERT OR IGNORE INTO article VALUES (?, ?)"
_COMMENTS = """
SELECT comment.number, comment.body, person.body
FROM json_each(?) AS wanted JOIN comment ON comment.number = wanted.value
LEFT JOIN person ON person.key = comment.person
"""
_OUTLINE = """
INSERT INTO outline (number, id, parent, seen, size)
SELECT number, id, parent, seen, length(body) FROM comment WHERE article = ? ORDER BY written IS NULL, written, number
"""
_PARENTS = """
SELECT number, (SELECT min(above.position) - 1 FROM outline AS above WHERE above.id = outline.parent), seen, size
FROM outline ORDER BY position
"""
_SPECIAL = {
    "format": TextFormat,
    "status": Status,
    "kind": Kind,
    "role": Role,
    "created_at": datetime.fromisoformat,
    "edited_at": datetime.fromisoformat,
    "published_at": datetime.fromisoformat,
    "notes": tuple,
}
_UNREADABLE = "There is no room for the temporary copy of the comments"


class Spool:
    """A temporary database of what a reader has read so far. Not safe for several threads."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # a file that nobody else can open
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")

    def add_article(self, key: str, article: ImportedThread, *, replace_known: bool = True) -> None:
        """Remember an article, whose `comments` are ignored; `replace_known` also if `key` is known already."""
        query = _ADD_ARTICLE if replace_known else _ADD_UNKNOWN_ARTICLE
        self._database.execute(query, (key, _packed(replace(article, comments=()))))

    def add(self, article_key: str, comment: ImportedComment, *, person: str = "") -> None:
        """Remember a comment; `person` is the key of its author's details, if the comment has none itself."""
        seen = comment.status is Status.APPROVED and not comment.refused and not comment.deleted
        written = comment.created_at.isoformat() if comment.created_at else None
        row = (article_key, comment.id, comment.parent_id, written, seen, person, _packed(comment))
        self._database.execute("INSERT INTO comment VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", row)

    def add_person(
        self, key: str, *, name: str = "", email: str = "", website: str = "", role: Role | None = None
    ) -> None:
        """Remember an author's details. Many exports repeat them for each comment."""
        details = {"name": name, "email": email, "website": website, "role": role}
        filled = {field: value for field, value in details.items() if value}
        self._database.execute("INSERT OR IGNORE INTO person VALUES (?, ?)", (key, json.dumps(filled)))

    def articles(self, *, unknown: ImportedThread) -> Iterator[ImportedThread]:
        """Yield every article that has comments, the first commented first, a long one in several pieces.

        `unknown` stands for articles that comments name but that were not added. Parents come before their replies.
        """
        self._database.execute("CREATE INDEX comment_article ON comment (article, number)")
        order = "SELECT article, min(number) FROM comment GROUP BY article ORDER BY 2"
        for key, _ in self._database.execute(order):
            row = self._database.execute("SELECT body FROM article WHERE key = ?", (key,)).fetchone()
            article = ImportedThread(comments=(), **_unpacked(row[0])) if row else unknown
            for comments in self._pieces(key):
                yield replace(article, comments=comments)

    def _pieces(self, article_key: str) -> Iterator[tuple[ImportedComment, ...]]:
        self._database.execute("DELETE FROM outline")
        self._database.execute(_OUTLINE, (article_key,))
        order = ReplyOrder.read(self._database.execute(_PARENTS))
        pinned = 0
        for piece in order.pieces(PIECE):
            comments = []
            carrying = dict(piece)
            for number, comment in self._comments(carrying):
                pinned += comment.pinned
                comments.append(_settled(comment, needed=carrying[number], may_pin=pinned <= PINNED_MOST))
            yield tuple(comments)

    def _comments(self, numbers: Iterable[int]) -> Iterator[tuple[int, ImportedComment]]:
        for number, body, person in self._database.execute(_COMMENTS, (json.dumps(list(numbers)),)):
            comment = ImportedComment(**_unpacked(body))
            yield number, replace(comment, **_unpacked(person)) if person else comment

    def close(self) -> None:
        self._database.close()


@contextmanager
def opened() -> Iterator[Spool]:
    """Make a spool, and remove it in the end; raises TransferError if there is no room for it."""
    try:
        with closing(Spool()) as spool:
            yield spool
    except sqlite3.OperationalError as error:
        raise TransferError(f"{_UNREADABLE}: {error}.") from None


def _settled(comment: ImportedComment, *, needed: bool, may_pin: bool) -> ImportedComment:
    """Return a deleted comment as a placeholder, or as one to leave out."""
    if not comment.deleted:
        return comment if may_pin or not comment.pinned else replace(comment, pinned=False)
    if not needed:
        return replace(comment, status=Status.TRASH, refused=comment.refused or DELETED)
    return ImportedComment(
        id=comment.id,
        text=comment_text.DELETED,
        format=TextFormat.MARKDOWN,
        status=Status.TRASH,
        parent_id=comment.parent_id,
        created_at=comment.created_at,
        deleted=True,
    )


def _packed(record: ImportedComment | ImportedThread) -> str:
    """Return a record as JSON, without the fields that have their default."""
    values = {
        field.name: getattr(record, field.name)
        for field in fields(record)
        if field.name != "comments" and getattr(record, field.name) != field.default
    }
    return json.dumps(values, default=datetime.isoformat)


def _unpacked(body: str) -> dict[str, Any]:
    return {
        name: _SPECIAL[name](value) if name in _SPECIAL else value for name, value in json.loads(body).items()
    }
