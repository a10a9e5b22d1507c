"""Reads the XML that Disqus exports (Admin > Moderation > Export)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote

from commentsvc.domain.transfer import record_fields, spool, xml_records
from commentsvc.domain.transfer.input_files import ImportFile, ReadLog
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.domain.transfer.spool import Spool
from commentsvc.domain.transfer.xml_records import XmlRecord
from commentsvc.errors import TransferError
from commentsvc.models import Role, Status, TextFormat

SYSTEM = "Disqus"
_NAMESPACE = "http://disqus.com"
_PREFIXES = {_NAMESPACE: "", "http://disqus.com/disqus-internals": "dsq", "": ""}
# Disqus sends every link through its own server, which counts the clicks: "url?url=TARGET:HASH&cuid=…".
_COUNTED_LINK = re.compile(r"https?://(?:www\.)?disq\.us/url\?url=([^\"'&\s<]+)[^\"'\s<]*", re.IGNORECASE)
_MENTION = re.compile(r"@([\w.-]+):disqus\b")


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is an export of Disqus."""
    return re.search(rb"<disqus[\s>]", head) is not None and b"http://disqus.com" in head


def read(file: ImportFile, log: ReadLog, *, page_ids: bool = False) -> Iterator[ImportedThread]:
    """Yield the articles that have comments; raises TransferError.

    With `page_ids`, an article's thread is identified by the id that its page gave Disqus, if it gave one.
    """
    with spool.opened() as kept:
        makers: Counter[str] = Counter()
        with file.open(log.on_read) as stream:
            for record in xml_records.records(
                stream, notes=log.notes, prefixes=_PREFIXES, on_root=_require_export
            ):
                number = record.attributes.get("dsq:id", "").strip()
                if record.name == "thread":
                    kept.add_article(number, _article(record, page_ids=page_ids))
                    makers[record.text("author/username")] += 1
                elif record.name == "post":
                    _add(kept, record, number, owner=_most_frequent(makers))
        yield from kept.articles(unknown=ImportedThread(system=SYSTEM, source="", url="", comments=()))


def _require_export(root: str) -> None:
    if root != "disqus":
        raise TransferError(f"this XML is not an export of Disqus: it begins with <{root[:40]}>.")


def _article(record: XmlRecord, *, page_ids: bool) -> ImportedThread:
    return ImportedThread(
        system=SYSTEM,
        source="",  # Disqus numbers all comments of all its sites
        url=record.text("link"),
        comments=(),
        title=" ".join(record.text("title").split()),
        published_at=record_fields.time(record.text("createdAt")),
        page_id=record.text("id") if page_ids else "",
        closed=record.text("isClosed") == "true",
    )


def _most_frequent(makers: Counter[str]) -> str:
    """Return the account that made most articles: the site's own, whose name at Disqus nobody else can have."""
    (name, number), *_ = makers.most_common(1) or [("", 0)]
    return name if number * 2 > makers.total() else ""


def _add(kept: Spool, record: XmlRecord, number: str, *, owner: str) -> None:
    comment = ImportedComment(
        id=number,
        text=_text(record.texts.get("message", "")),
        format=TextFormat.HTML,
        status=Status.SPAM if record.text("isSpam") == "true" else Status.APPROVED,
        parent_id=record.attribute("parent", "dsq:id") or None,
        name=record.text("author/name"),
        user=record.text("author/username"),
        email=record.text("author/email"),
        created_at=record_fields.time(record.text("createdAt")),
        role=Role.OWNER if owner and record.text("author/username") == owner else None,
        deleted=record.text("isDeleted") == "true",
    )
    kept.add(record.attribute("thread", "dsq:id"), comment)


def _text(message: str) -> str:
    """Return the HTML with links as they were written, and mentions as names."""
    return _MENTION.sub(r"@\1", _COUNTED_LINK.sub(_target, message.strip()))


def _target(match: re.Match[str]) -> str:
    target = unquote(match[1]).replace('"', "%22").replace("<", "%3C").replace(">", "%3E")
    address, _, checksum = target.rpartition(":")
    return address if address.partition("://")[2] and re.fullmatch(r"[\w-]{10,60}", checksum) else target
