"""Reads the JSON exports of Commento and Commento++ (version 1) and of Comentario (versions 1 and 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from commentsvc.domain.transfer import json_stream, record_fields, spool
from commentsvc.domain.transfer.input_files import ImportFile, ReadLog
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.domain.transfer.spool import Spool
from commentsvc.errors import TransferError
from commentsvc.models import Role, Status, TextFormat

SYSTEM = "Commento"
VERSIONS = (1, 3)
_KNOWN = re.compile(rb'"commentHex"|"commenterHex"|"commenters"\s*:|"isReadonly"|"pageId"|"countComments"')
_NOBODY = frozenset({"", "anonymous", "00000000-0000-0000-0000-000000000000"})
_DELETED = "[deleted]"
"""The text that Commento++ gives a deleted comment, which its export does not mark as deleted."""


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is an export of Commento or Comentario."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and _KNOWN.search(head) is not None


def read(file: ImportFile, log: ReadLog) -> Iterator[ImportedThread]:
    """Yield the articles that have comments; raises TransferError."""
    with spool.opened() as kept:
        with file.open(log.on_read) as stream:
            for name, value in json_stream.elements(stream):
                if name == "version" and value not in VERSIONS:
                    raise TransferError(
                        f"{file.name}: version {value!s:.20} of Commento's export is not supported."
                    )
                if isinstance(value, Mapping):
                    _add(kept, name, value)
        yield from kept.articles(unknown=_article(""))


def _article(url: str, *, title: str = "", closed: bool = False) -> ImportedThread:
    return ImportedThread(system=SYSTEM, source="", url=url, comments=(), title=title, closed=closed)


def _add(kept: Spool, name: str, record: Mapping[str, Any]) -> None:
    if name == "pages":
        page = _article(
            record_fields.line(record, "path"),
            title=record_fields.line(record, "title"),
            closed=record_fields.flag(record, "isReadonly"),
        )
        kept.add_article(record_fields.line(record, "id"), page)
    elif name == "commenters":
        _add_person(kept, record)
    elif name == "comments" and "commentHex" in record:
        url = _old_url(record)
        kept.add_article(url, _article(url), replace_known=False)
        kept.add(url, _old_comment(record), person=record_fields.line(record, "commenterHex"))
    elif name == "comments":
        page_id = record_fields.line(record, "pageId")
        kept.add(page_id, _comment(record), person=record_fields.line(record, "userCreated"))


def _add_person(kept: Spool, record: Mapping[str, Any]) -> None:
    key = record_fields.line(record, "commenterHex", "id")
    if key not in _NOBODY:
        kept.add_person(
            key,
            name=_detail(record, "name"),
            email=_detail(record, "email"),
            website=_detail(record, "link", "websiteUrl"),
            role=Role.MODERATOR if record_fields.flag(record, "isModerator") else None,
        )


def _detail(record: Mapping[str, Any], *names: str) -> str:
    """Return one of a person's details; Commento++ writes "undefined" for what it does not know."""
    value = record_fields.line(record, *names)
    return "" if value == "undefined" else value


def _old_url(record: Mapping[str, Any]) -> str:
    """Return the article's URL; Commento calls its path "url", Comentario "path"."""
    host = record_fields.line(record, "domain", "host")
    path = record_fields.line(record, "url", "path")
    if "://" in path:
        return path
    return (f"https://{host}" if host else "") + record_fields.path(path or "/")


def _old_comment(record: Mapping[str, Any]) -> ImportedComment:
    text, text_format = _text(record)
    ups, downs = record_fields.difference(record_fields.count(record, "score"))
    parent = record_fields.line(record, "parentHex")
    return ImportedComment(
        id=record_fields.line(record, "commentHex"),
        text=text,
        format=text_format,
        status=Status.APPROVED if record_fields.line(record, "state") == "approved" else Status.HELD,
        parent_id=parent if parent not in {"", "root"} else None,
        created_at=record_fields.time(record.get("creationDate")),
        ups=ups,
        downs=downs,
        deleted=record_fields.flag(record, "deleted") or text.strip() == _DELETED,
    )


def _comment(record: Mapping[str, Any]) -> ImportedComment:
    text, text_format = _text(record)
    ups, downs = record_fields.difference(record_fields.count(record, "score"))
    is_approved, is_pending = (record_fields.flag(record, name) for name in ("isApproved", "isPending"))
    return ImportedComment(
        id=record_fields.line(record, "id"),
        text=text,
        format=text_format,
        status=Status.HELD if is_pending else Status.APPROVED if is_approved else Status.TRASH,
        parent_id=record_fields.line(record, "parentId") or None,
        name=record_fields.text(record, "authorName"),
        created_at=record_fields.time(record.get("createdTime")),
        edited_at=record_fields.time(record.get("editedTime")),
        pinned=record_fields.flag(record, "isSticky"),
        ups=ups,
        downs=downs,
        deleted=record_fields.flag(record, "isDeleted"),
    )


def _text(record: Mapping[str, Any]) -> tuple[str, TextFormat]:
    """Return the text as readers saw it, or as it was typed; exports often have only one of them."""
    shown = record_fields.text(record, "html")
    return (
        (shown, TextFormat.HTML) if shown else (record_fields.text(record, "markdown"), TextFormat.MARKDOWN)
    )
