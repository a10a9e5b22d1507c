"""Reads Blogger's Atom files: the export of the dashboard until 2024, and feed.atom of Google Takeout since."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from commentsvc.domain.transfer import record_fields, spool, xml_records
from commentsvc.domain.transfer.input_files import ImportFile, ReadLog
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.domain.transfer.spool import Spool
from commentsvc.domain.transfer.xml_records import XmlRecord
from commentsvc.errors import TransferError
from commentsvc.models import Role, Status, TextFormat

SYSTEM = "Blogger"
_PREFIXES = {
    "http://www.w3.org/2005/Atom": "",
    "": "",
    "http://purl.org/syndication/thread/1.0": "thr",
    "http://schemas.google.com/g/2005": "gd",
    "http://schemas.google.com/blogger/2018": "blogger",
    "http://purl.org/atom/app#": "app",
    "http://www.w3.org/2007/app": "app",
}
_KIND = "http://schemas.google.com/g/2005#kind"
_NO_ADDRESS = "noreply@blogger.com"
_STATUSES = {"": Status.APPROVED, "LIVE": Status.APPROVED, "SPAM_COMMENT": Status.SPAM}
# What Blogger puts in the place of a comment that was removed, in the old export.
_REMOVED = re.compile(
    r"\s*(?:<[^<>]*>)?This comment has been removed by (?:the author|a blog administrator)\.(?:<[^<>]*>)?\s*"
)


def recognises(head: bytes) -> bool:
    """Whether a file that begins like this is an export of Blogger."""
    return re.search(rb"<feed[\s>]", head) is not None and (
        b"schemas.google.com/blogger/" in head or b"tag:blogger.com" in head
    )


def read(file: ImportFile, log: ReadLog) -> Iterator[ImportedThread]:
    """Yield the articles that have comments; raises TransferError."""
    with spool.opened() as kept:
        blog = _Blog(kept)
        with file.open(log.on_read) as stream:
            for record in xml_records.records(
                stream, notes=log.notes, prefixes=_PREFIXES, on_root=_require_feed
            ):
                blog.add(record)
        yield from kept.articles(unknown=_article(""))


def _require_feed(root: str) -> None:
    if root != "feed":
        raise TransferError(f"this XML is not an export of Blogger: it begins with <{root[:40]}>.")


@dataclass
class _Blog:
    """What the feed says about itself before its entries, and where its entries go."""

    kept: Spool
    owner: str = ""
    """The address of the owner's profile."""

    def add(self, record: XmlRecord) -> None:
        if record.name == "author":
            self.owner = record.text("uri")
        elif record.name == "entry" and _kind(record) in {"post", "page"}:
            self.kept.add_article(_number(record.text("id")), _post(record))
        elif record.name == "entry" and _kind(record) == "comment":
            post = record.text("blogger:parent") or record.attribute("thr:in-reply-to", "ref")
            url = _address(record.attribute("thr:in-reply-to", "href"))
            self.kept.add_article(_number(post), _article(url), replace_known=False)
            self.kept.add(_number(post), self._comment(record))

    def _comment(self, record: XmlRecord) -> ImportedComment:
        email, profile = record.text("author/email"), record.text("author/uri")
        text = record.texts.get("content", "")
        return ImportedComment(
            id=_number(record.text("id")),
            text=text,
            format=TextFormat.HTML,
            # Takeout has words for every kind of comment that was not public.
            status=_STATUSES.get(record.text("blogger:status"), Status.HELD),
            parent_id=_parent(record) or None,
            name=record.text("author/name"),
            email="" if email == _NO_ADDRESS else email,
            website=profile,
            created_at=record_fields.time(record.text("published") or record.text("blogger:created")),
            role=Role.OWNER if profile and profile == self.owner else None,
            deleted=_is_trashed(record)
            or record.attribute("gd:extendedProperty", "value", name="blogger.contentRemoved") == "true"
            or _REMOVED.fullmatch(text) is not None,
        )


def _kind(record: XmlRecord) -> str:
    """Return "post", "page", "comment" or another word."""
    kind = record.text("blogger:type").lower()
    return kind or record.attribute("category", "term", scheme=_KIND).rpartition("#")[2]


def _post(record: XmlRecord) -> ImportedThread:
    link = record.attribute("link", "href", rel="alternate")
    status = record.text("blogger:status") or "LIVE"
    return ImportedThread(
        system=SYSTEM,
        source="",  # Blogger numbers all comments of all its blogs
        url=_address(link) or record.text("blogger:filename"),
        comments=(),
        title=" ".join(record.text("title").split()),
        published_at=record_fields.time(record.text("published")),
        hidden=status != "LIVE" or _is_trashed(record) or record.text("app:control/app:draft") == "yes",
    )


def _article(url: str) -> ImportedThread:
    return ImportedThread(system=SYSTEM, source="", url=url, comments=())


def _address(url: str) -> str:
    """Return an article's address without `?showComment=…` or `?m=1`: Blogger's have no parameters of their own."""
    return url.partition("#")[0].partition("?")[0]


def _number(tag: str) -> str:
    """Return the number of a post or comment: the end of "tag:blogger.com,1999:blog-1.post-2"."""
    return tag.rpartition("-")[2]


def _parent(record: XmlRecord) -> str:
    """Return the number of the comment that this one answers."""
    answered = record.text("blogger:inReplyTo")
    if answered:
        return _number(answered)
    related = record.attribute("link", "href", rel="related")
    return related.rpartition("/")[2] if "/comments/" in related else ""


def _is_trashed(record: XmlRecord) -> bool:
    return record.text("blogger:trashed") not in {"", "false"} or record.text("blogger:status") == "DELETED"
