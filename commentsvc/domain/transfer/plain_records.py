"""Reads comments that anybody's converter wrote as JSON, JSON lines or CSV; docs/moving.md describes the fields."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from commentsvc.domain.transfer import export_plain, json_stream, record_fields, spool
from commentsvc.domain.transfer.input_files import ImportFile, ReadLog
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.errors import TransferError
from commentsvc.models import Kind, Role, Status, TextFormat

SYSTEM = "Other"
_SPACE = b"\xef\xbb\xbf \t\r\n"
_STATUSES = {
    "": Status.APPROVED,
    "approved": Status.APPROVED,
    "held": Status.HELD,
    "pending": Status.HELD,
    "spam": Status.SPAM,
    "trash": Status.TRASH,
    "deleted": Status.TRASH,
}
_FORMATS = {
    "": TextFormat.MARKDOWN,
    "markdown": TextFormat.MARKDOWN,
    "html": TextFormat.HTML,
    "text": TextFormat.HTML,
}
_ROLES = {"owner": Role.OWNER, "moderator": Role.MODERATOR}
_KINDS = {"pingback": Kind.PINGBACK, "trackback": Kind.TRACKBACK}
_CELL_LONGEST = 1 << 20


def recognises_json(head: bytes) -> bool:
    """Whether a file that begins like this is JSON with the fields of docs/moving.md."""
    return (
        head.lstrip(_SPACE)[:1] in {b"[", b"{"}
        and b'"text"' in head
        and re.search(rb'"(?:url|thread)"|"comments"\s*:', head) is not None
    )


def recognises_csv(head: bytes) -> bool:
    """Whether a file that begins like this is CSV with the columns of docs/moving.md."""
    line = head.lstrip(_SPACE).partition(b"\n")[0].decode("utf-8", "replace")
    return _is_header(next(csv.reader([line]), []))


def read_json(file: ImportFile, log: ReadLog) -> Iterator[ImportedThread]:
    """Yield the articles of a JSON array or of JSON lines; raises TransferError."""
    are_lines = file.head().lstrip(_SPACE).startswith(b"{")
    with file.open(log.on_read) as stream:
        values = json_stream.lines(stream) if are_lines else (one for _, one in json_stream.elements(stream))
        yield from _articles(_flat(values))


def read_csv(file: ImportFile, log: ReadLog) -> Iterator[ImportedThread]:
    """Yield the articles of a CSV file in UTF-8 with a header; raises TransferError."""
    with file.open(log.on_read) as stream:
        yield from _articles(_rows(file.name, stream))


def _rows(name: str, stream: BinaryIO) -> Iterator[Mapping[str, Any]]:
    csv.field_size_limit(_CELL_LONGEST)
    reader = csv.DictReader(io.TextIOWrapper(stream, "utf-8-sig", "replace", newline=""))
    try:
        if not _is_header(reader.fieldnames or []):
            raise TransferError(f"{name}: the first line must name the columns, among them “url” and “text”.")
        reader.fieldnames = [column.strip().lower() for column in reader.fieldnames or []]
        for row in reader:
            yield {name: _cell(value) for name, value in row.items()}
    except csv.Error as error:
        raise TransferError(f"{name}: line {reader.line_num} is not valid CSV: {error}.") from None


def _cell(value: Any) -> Any:
    """Take away the apostrophe with which our own export protects spreadsheets."""
    return export_plain.original_cell(value) if isinstance(value, str) else value


def _is_header(columns: Iterable[str]) -> bool:
    names = {column.strip().lower() for column in columns}
    return "text" in names and bool(names & {"url", "thread"})


def _flat(values: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield comments, also from articles that have a list of them: `{"url": …, "title": …, "comments": […]}`."""
    for value in values:
        if not isinstance(value, Mapping):
            raise TransferError(
                "The JSON has something else than objects: see docs/moving.md for the fields."
            )
        if not isinstance(value.get("comments"), list):
            yield value
            continue
        article = {name: value[name] for name in ("url", "thread", "title") if name in value}
        if not article.keys() & {"url", "thread"}:
            article["url"] = value.get("id", "")
        yield from ({**comment, **article} for comment in value["comments"] if isinstance(comment, Mapping))


def _articles(records: Iterable[Mapping[str, Any]]) -> Iterator[ImportedThread]:
    with spool.opened() as kept:
        for record in records:
            article = _article(record)
            key = f"{article.page_id} {article.url}"
            kept.add_article(key, article, replace_known=False)
            kept.add(key, _comment(record))
        yield from kept.articles(unknown=ImportedThread(system=SYSTEM, source="", url="", comments=()))


def _article(record: Mapping[str, Any]) -> ImportedThread:
    url, page_id = record_fields.line(record, "url"), record_fields.line(record, "thread")
    return ImportedThread(
        system=SYSTEM,
        source="",
        url=record_fields.path(url) or ("/" if page_id else ""),
        comments=(),
        title=record_fields.line(record, "title"),
        page_id=page_id,
    )


def _comment(record: Mapping[str, Any]) -> ImportedComment:
    text, written = record_fields.text(record, "text"), record_fields.line(record, "format").lower()
    status = record_fields.line(record, "status").lower()
    parent = record_fields.line(record, "parent")
    return ImportedComment(
        id=record_fields.line(record, "id"),
        text=html.escape(text) if written == "text" else text,
        format=_FORMATS.get(written, TextFormat.MARKDOWN),
        status=_STATUSES.get(status, Status.HELD),
        parent_id=parent if parent not in {"", "0"} else None,
        kind=_KINDS.get(record_fields.line(record, "kind").lower(), Kind.COMMENT),
        name=record_fields.text(record, "name", "author"),
        email=record_fields.line(record, "email"),
        website=record_fields.line(record, "website"),
        created_at=record_fields.time(record.get("date", record.get("created"))),
        edited_at=record_fields.time(record.get("edited")),
        pinned=record_fields.flag(record, "pinned"),
        role=_ROLES.get(record_fields.line(record, "role").lower()),
        deleted=status == "deleted",
    )
