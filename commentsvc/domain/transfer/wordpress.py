"""Reads WXR, the XML that WordPress exports under Tools > Export, versions 1.0 to 1.2."""

from __future__ import annotations

import html
import re
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from commentsvc.domain.transfer import xml_events
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.errors import TransferError
from commentsvc.models import Kind, Status, TextFormat
from commentsvc.text import imported_html, markup

SYSTEM = "WordPress"
VERSIONS = ("1.0", "1.1", "1.2")
_FIELD_LONGEST = 300_000
"""Limit for the text of one element, far above the limit of a comment."""
_TITLE_LONGEST = 2000
_NAMESPACE = re.compile(r"\{https?://wordpress\.org/export/([^/}]*)/\}(\w+)")
_BLOG = frozenset({"link", "wp:base_site_url", "wp:base_blog_url"})
_ARTICLE = frozenset({"title", "link"} | {
    f"wp:{name}" for name in ("post_id", "post_date", "post_date_gmt", "post_type", "post_password", "status")
})  # fmt: skip
_COMMENT = frozenset(
    f"wp:comment_{name}"
    for name in (
        *("id", "parent", "type", "approved", "content", "date", "date_gmt"),
        *("author", "author_email", "author_url"),
    )
)
_WANTED = {2: _BLOG, 3: _ARTICLE, 4: _COMMENT}
_KINDS = {
    "": Kind.COMMENT,
    "comment": Kind.COMMENT,
    "review": Kind.COMMENT,
    "pingback": Kind.PINGBACK,
    "trackback": Kind.TRACKBACK,
}
_STATUSES = {
    "1": Status.APPROVED,
    "approve": Status.APPROVED,
    "approved": Status.APPROVED,
    "spam": Status.SPAM,
    "trash": Status.TRASH,
    "post-trashed": Status.TRASH,
}
_HIDDEN = frozenset({"private", "draft", "auto-draft", "pending", "future", "trash"})


def read(
    source: Path | BinaryIO, *, on_read: Callable[[int], object] | None = None
) -> Iterator[ImportedThread]:
    """Yield the articles that have comments, one at a time, in the file's order.

    `on_read` is called with the number of bytes just read. Raises TransferError, which says where and what to do.
    """
    export = _Export()
    for _ in xml_events.events(source, export, on_read=on_read):
        while export.finished:
            yield export.finished.popleft()


class _Export:
    """The parser's target: collects the texts of the wanted elements until their article ends."""

    def __init__(self) -> None:
        self.finished: deque[ImportedThread] = deque()
        self._path: list[str] = []
        self._text: list[str] | None = None
        self._length = 0
        self._at = 0
        self._is_export = False
        self._blog: dict[str, str] = {}
        self._article: dict[str, str] = {}
        self._comment: dict[str, str] = {}
        self._comments: list[ImportedComment] = []

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        name = self._name(tag)
        depth = len(self._path)
        self._path.append(name)
        if depth == 0 and name != "rss":
            raise TransferError(f"this XML is not a WordPress export: it begins with <{tag[:40]}>. {_HOW}")
        if name in _WANTED.get(depth, ()) and self._inside(depth):
            self._text, self._length, self._at = [], 0, depth

    def data(self, text: str) -> None:
        if self._text is not None and self._length < _FIELD_LONGEST:
            self._text.append(text)
            self._length += len(text)

    def end(self, _tag: str) -> None:
        name = self._path.pop()
        depth = len(self._path)
        if self._text is not None and depth == self._at:
            # The blog's link comes before its articles, an image's link after them.
            (self._blog, self._article, self._comment)[depth - 2].setdefault(name, "".join(self._text))
            self._text = None
        elif depth == 3 and name == "wp:comment":
            self._comments.append(_comment(self._comment))
            self._comment = {}
        elif depth == 2 and name == "item":
            self._end_article()

    def close(self) -> None:
        self._require_export()

    def _inside(self, depth: int) -> bool:
        return depth == 2 or (self._path[2] == "item" and (depth == 3 or self._path[3] == "wp:comment"))

    def _name(self, tag: str) -> str:
        """Return `wp:name` for an element of the export's namespace, `name` for one of plain RSS, "" for others."""
        if not tag.startswith("{"):
            return tag
        match = _NAMESPACE.fullmatch(tag)
        if match is None:
            return ""
        if match[1] not in VERSIONS:
            raise TransferError(
                f"this export has version {match[1][:20]!r}; supported are {', '.join(VERSIONS)}. "
                "Export with a current WordPress."
            )
        self._is_export = True
        return f"wp:{match[2]}"

    def _end_article(self) -> None:
        self._require_export()
        if self._comments:
            self.finished.append(_article(self._blog, self._article, self._comments))
        self._article, self._comments = {}, []

    def _require_export(self) -> None:
        if not self._is_export:
            raise TransferError(f"this is an RSS feed, not a WordPress export. {_HOW}")


_HOW = "In WordPress, choose Tools > Export > All content."


def _article(blog: dict[str, str], fields: dict[str, str], comments: list[ImportedComment]) -> ImportedThread:
    home = (blog.get("wp:base_blog_url") or blog.get("link") or blog.get("wp:base_site_url") or "").strip()
    number = fields.get("wp:post_id", "").strip()
    url = fields.get("link", "").strip() or (f"{home.rstrip('/')}/?p={number}" if home and number else "")
    status, password = (fields.get(f"wp:{name}", "").strip() for name in ("status", "post_password"))
    return ImportedThread(
        system=SYSTEM,
        source=re.sub(r"\Ahttps?://", "", home.lower()).rstrip("/"),
        url=_plain_address(url),
        comments=tuple(comments),
        title=_words(fields.get("title", "")),
        published_at=_time(fields, "wp:post_date"),
        home=home,
        hidden=status in _HIDDEN or password != "",
    )


def _comment(fields: dict[str, str]) -> ImportedComment:
    def field(name: str) -> str:
        return fields.get(f"wp:comment_{name}", "").strip()

    kind = _KINDS.get(field("type"))
    parent = field("parent")
    return ImportedComment(
        id=field("id"),
        text=fields.get("wp:comment_content", ""),
        format=TextFormat.HTML,
        status=_STATUSES.get(field("approved"), Status.HELD),
        parent_id=parent if parent not in {"", "0"} else None,
        kind=kind or Kind.COMMENT,
        # WordPress stores a name as HTML, with references for & and quotes.
        name=html.unescape(field("author")),
        email=html.unescape(field("author_email")),
        website=_plain_address(field("author_url")),
        created_at=_time(fields, "wp:comment_date"),
        # Order notes, webhooks and editorial remarks were never shown to readers.
        refused="" if kind else f"of type “{field('type')[:40]}”, which is not for readers",
    )


def _words(title: str) -> str:
    """Return a title as text: WordPress's titles are HTML, and `plain` needs it well-formed."""
    return markup.plain(imported_html.rewrite(title[:_TITLE_LONGEST]))


def _plain_address(url: str) -> str:
    """Replace only the references that WordPress itself writes: "?a=1&copy=2" contains none."""
    return url.replace("&#038;", "&").replace("&amp;", "&")


def _time(fields: dict[str, str], name: str) -> datetime | None:
    """Return the time in UTC, else the blog's local time (the file has no time zone); None if both are missing."""
    for text in (fields.get(f"{name}_gmt", ""), fields.get(name, "")):
        try:
            return datetime.strptime(text.strip(), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        except ValueError:  # "0000-00-00 00:00:00" too
            continue
    return None
