"""Reads the .artrans files of Artalk: one JSON array of comments, in its own exports all of whose values are text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from commentsvc.domain.transfer import json_stream, record_fields, spool
from commentsvc.domain.transfer.input_files import ImportFile, ReadLog
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.models import Role, Status

SYSTEM = "Artalk"
_OWNER_BADGES = frozenset({"admin", "administrator", "owner", "author", "管理员", "博主", "站长"})


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is an export of Artalk."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") and b'"page_key"' in head


def read(file: ImportFile, log: ReadLog) -> Iterator[ImportedThread]:
    """Yield the articles that have comments; raises TransferError."""
    with spool.opened() as kept:
        with file.open(log.on_read) as stream:
            for _, record in json_stream.elements(stream):
                if isinstance(record, Mapping):
                    article = _article(record)
                    kept.add_article(article.url, article, replace_known=False)
                    kept.add(article.url, _comment(record))
        yield from kept.articles(unknown=ImportedThread(system=SYSTEM, source="", url="", comments=()))


def _article(record: Mapping[str, Any]) -> ImportedThread:
    home = record_fields.line(record, "site_urls").partition(",")[0].rstrip("/")
    path = record_fields.path(record_fields.line(record, "page_key"))
    return ImportedThread(
        system=SYSTEM,
        source="",
        url=home + path if home.startswith(("http://", "https://")) and path.startswith("/") else path,
        comments=(),
        title=record_fields.line(record, "page_title"),
    )


def _comment(record: Mapping[str, Any]) -> ImportedComment:
    parent, badge = record_fields.line(record, "rid"), record_fields.line(record, "badge_name")
    text = record_fields.text(record, "content")
    return ImportedComment(
        id=record_fields.line(record, "id"),
        text=text,
        format=record_fields.text_format(text),
        status=Status.HELD if record_fields.flag(record, "is_pending") else Status.APPROVED,
        parent_id=parent if parent not in {"", "0"} else None,
        name=record_fields.text(record, "nick"),
        email=record_fields.line(record, "email"),
        website=record_fields.line(record, "link"),
        created_at=record_fields.time(record.get("created_at", record.get("date"))),
        pinned=record_fields.flag(record, "is_pinned"),
        ups=max(0, record_fields.count(record, "vote_up")),
        downs=max(0, record_fields.count(record, "vote_down")),
        role=Role.OWNER if badge.lower() in _OWNER_BADGES else None,
    )
