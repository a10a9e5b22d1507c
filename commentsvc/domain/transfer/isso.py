"""Reads the SQLite database of Isso, schemas 0 to 5. It is copied first, so that Isso's file stays as it is."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from commentsvc.domain.transfer import record_fields, spool
from commentsvc.domain.transfer.input_files import ImportFile, ReadLog
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.errors import TransferError
from commentsvc.models import Status

SYSTEM = "Isso"
_HEADER = b"SQLite format 3\x00"
_NEEDED = {"tid", "id", "parent", "created", "mode", "text", "author", "email", "website"}
_STATUSES = {1: Status.APPROVED, 2: Status.HELD}
_DELETED = 4
_COMMENTS = """
SELECT comments.*, threads.id AS thread, threads.uri, threads.title FROM comments
LEFT JOIN threads ON threads.id = comments.tid ORDER BY comments.id
"""


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is a database as Isso has one."""
    return head.startswith(_HEADER)


def read(file: ImportFile, log: ReadLog) -> Iterator[ImportedThread]:
    """Yield the articles that have comments; raises TransferError."""
    with (
        tempfile.TemporaryDirectory(prefix="commentsvc-isso-") as folder,
        spool.opened() as kept,
    ):
        copy = Path(folder) / "comments.db"
        _copy(file, copy, log)
        try:
            with closing(sqlite3.connect(copy)) as database:
                database.execute("PRAGMA trusted_schema = OFF")  # the file may be anybody's
                database.row_factory = sqlite3.Row
                database.text_factory = lambda raw: raw.decode("utf-8", "replace")
                _require_isso(database, file.name)
                for row in database.execute(_COMMENTS):
                    fields = dict(zip(row.keys(), row, strict=True))
                    kept.add_article(str(fields["tid"]), _article(fields), replace_known=False)
                    kept.add(str(fields["tid"]), _comment(fields))
        except sqlite3.DatabaseError as error:
            raise TransferError(
                f"{file.name}: the database cannot be read ({error}). Stop Isso, copy comments.db and, if it is "
                "there, comments.db-wal again, and import the copy."
            ) from None
        yield from kept.articles(unknown=ImportedThread(system=SYSTEM, source="", url="", comments=()))


def _copy(file: ImportFile, copy: Path, log: ReadLog) -> None:
    for part, path in ((file, copy), (file.companion, copy.with_name(f"{copy.name}-wal"))):
        if part is not None:
            with part.open(log.on_read) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)


def _require_isso(database: sqlite3.Connection, name: str) -> None:
    columns = {row["name"] for row in database.execute("PRAGMA table_info(comments)")}
    if not columns >= _NEEDED:
        raise TransferError(f"{name}: this database is not one of Isso: it has no table of Isso's comments.")


def _article(fields: dict[str, Any]) -> ImportedThread:
    uri = record_fields.line(fields, "uri")
    is_address = uri.startswith("/") or "://" in uri
    return ImportedThread(
        system=SYSTEM,
        source="",
        url=uri if is_address or not uri else "/",
        comments=(),
        title=" ".join(record_fields.text(fields, "title").split()),
        page_id="" if is_address else uri,
    )


def _comment(fields: dict[str, Any]) -> ImportedComment:
    text = record_fields.text(fields, "text")
    mode, parent = fields["mode"], fields["parent"]
    return ImportedComment(
        id=str(fields["id"]),
        text=text,
        format=record_fields.text_format(text),
        status=_STATUSES.get(mode, Status.HELD),
        parent_id=str(parent) if parent else None,
        name=record_fields.text(fields, "author"),
        email=record_fields.text(fields, "email"),
        website=record_fields.line(fields, "website"),
        created_at=record_fields.time(fields["created"]),
        edited_at=record_fields.time(fields.get("modified")),
        ups=max(0, record_fields.count(fields, "likes")),
        downs=max(0, record_fields.count(fields, "dislikes")),
        # Isso empties a deleted comment's text, but leaves its e-mail address.
        deleted=mode == _DELETED,
    )
