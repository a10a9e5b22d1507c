"""Reads the JSON exports of Waline, whose comments are Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from commentsvc.domain.transfer import json_stream, record_fields, spool
from commentsvc.domain.transfer.input_files import ImportFile, ReadLog
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.models import Role, Status

SYSTEM = "Waline"
_STATUSES = {"approved": Status.APPROVED, "spam": Status.SPAM}
# Waline writes the answered person in front of each reply.
_ANSWERED = re.compile(
    r"\A\s*(?:\[@[^\]\n]{0,100}\]\(#[^)\s]{0,60}\)\s?[:,\uff0c\uff1a]?"
    r"|<a class=\"at\" href=\"#[^\">]{0,60}\">[^<]{0,100}</a>\s?[:,]?)\s*"
)


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is an export of Waline."""
    return re.search(rb'"type"\s*:\s*"waline"', head) is not None


def read(file: ImportFile, log: ReadLog) -> Iterator[ImportedThread]:
    """Yield the articles that have comments; raises TransferError."""
    with spool.opened() as kept:
        with file.open(log.on_read) as stream:
            for name, record in json_stream.elements(stream):
                if name == "data.Users" and isinstance(record, Mapping):
                    is_owner = record_fields.line(record, "type") == "administrator"
                    kept.add_person(_id(record), role=Role.OWNER if is_owner else None)
                elif name == "data.Comment" and isinstance(record, Mapping):
                    url = record_fields.path(record_fields.line(record, "url"))
                    article = ImportedThread(system=SYSTEM, source="", url=url, comments=())
                    kept.add_article(url, article, replace_known=False)
                    kept.add(url, _comment(record), person=record_fields.line(record, "user_id"))
        yield from kept.articles(unknown=ImportedThread(system=SYSTEM, source="", url="", comments=()))


def _id(record: Mapping[str, Any]) -> str:
    return record_fields.line(record, "objectId", "_id", "id")


def _comment(record: Mapping[str, Any]) -> ImportedComment:
    text, parent = record_fields.text(record, "comment"), record_fields.line(record, "pid", "rid")
    nick = record_fields.text(record, "nick")
    if parent:
        text = _ANSWERED.sub("", text)
    return ImportedComment(
        id=_id(record),
        text=text,
        format=record_fields.text_format(text),
        status=_STATUSES.get(record_fields.line(record, "status") or "approved", Status.HELD),
        parent_id=parent or None,
        name="" if nick == "Anonymous" else nick,
        email=record_fields.line(record, "mail"),
        website=record_fields.line(record, "link"),
        created_at=record_fields.time(record.get("insertedAt") or record.get("createdAt")),
        pinned=record_fields.flag(record, "sticky"),
        ups=max(0, record_fields.count(record, "like")),
    )
