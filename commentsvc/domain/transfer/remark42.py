"""Reads the backups of Remark42: a JSON object with its users and articles, then a comment on each line."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

from commentsvc.domain.transfer import json_stream, record_fields, spool
from commentsvc.domain.transfer.input_files import ImportFile, ReadLog
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.errors import TransferError
from commentsvc.models import Role, Status, TextFormat

SYSTEM = "Remark42"


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is a backup of Remark42."""
    first, _, second = head.partition(b"\n")
    # With many users, the header is longer than what is known of the file.
    is_header = first.lstrip().startswith(b"{") and b'"version"' in first[:200] and b'"users"' in first
    line = second if is_header else first
    return is_header or (line.lstrip().startswith(b"{") and b'"locator"' in line and b'"pid"' in line)


def read(file: ImportFile, log: ReadLog) -> Iterator[ImportedThread]:
    """Yield the articles that have comments; raises TransferError."""
    closed: set[str] = set()
    with spool.opened() as kept:
        with file.open(log.on_read) as stream:
            for record in json_stream.lines(stream):
                if not isinstance(record, Mapping):
                    raise TransferError(
                        f"{file.name}: this is not a backup of Remark42: a line is no object."
                    )
                if "locator" not in record:
                    closed |= _read_only(record)
                    continue
                url = record_fields.line(record_fields.nested(record, "locator"), "url")
                kept.add_article(url, _article(url, record, closed=url in closed), replace_known=False)
                kept.add(url, _comment(record))
        yield from kept.articles(unknown=ImportedThread(system=SYSTEM, source="", url="", comments=()))


def _read_only(header: Mapping[str, Any]) -> set[str]:
    """Return the addresses of the articles that were closed."""
    posts = header.get("posts")
    return {
        record_fields.line(post, "url")
        for post in (posts if isinstance(posts, list) else ())
        if isinstance(post, Mapping) and record_fields.flag(post, "read_only")
    }


def _article(url: str, record: Mapping[str, Any], *, closed: bool) -> ImportedThread:
    title = html.unescape(record_fields.line(record, "title"))
    return ImportedThread(system=SYSTEM, source="", url=url, comments=(), title=title, closed=closed)


def _comment(record: Mapping[str, Any]) -> ImportedComment:
    user, edit = record_fields.nested(record, "user"), record_fields.nested(record, "edit")
    ups, downs = _votes(record)
    shown, typed = record_fields.text(record, "text"), record_fields.text(record, "orig")
    return ImportedComment(
        id=record_fields.line(record, "id"),
        text=shown or typed,
        format=TextFormat.HTML if shown else TextFormat.MARKDOWN,
        status=Status.APPROVED,
        parent_id=record_fields.line(record, "pid") or None,
        name=record_fields.text(user, "name"),
        user="" if (user_id := record_fields.line(user, "id")).startswith("anonymous_") else user_id,
        created_at=record_fields.time(record.get("time")),
        edited_at=record_fields.time(edit.get("time")),
        pinned=record_fields.flag(record, "pin"),
        ups=ups,
        downs=downs,
        role=Role.OWNER if record_fields.flag(user, "admin") else None,
        deleted=record_fields.flag(record, "delete") or not (shown or typed),
    )


def _votes(record: Mapping[str, Any]) -> tuple[int, int]:
    """Return the votes for and against a comment, or if they are not all there, those that make up its score."""
    single, score = record_fields.nested(record, "votes"), record_fields.count(record, "score")
    ups = sum(record_fields.flag(single, name) for name in single)
    downs = len(single) - ups
    return (ups, downs) if ups - downs == score else record_fields.difference(score)
