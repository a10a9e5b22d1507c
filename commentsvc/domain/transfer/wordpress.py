"""Reads WXR, the XML that WordPress exports under Tools > Export, versions 1.0 to 1.2."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from commentsvc.domain.transfer import wordpress_records, xml_events
from commentsvc.domain.transfer.local_times import LocalTimes
from commentsvc.domain.transfer.records import ImportedThread
from commentsvc.errors import TransferError
from commentsvc.models import now

VERSIONS = ("1.0", "1.1", "1.2")
_FIELD_LONGEST = 300_000
"""Limit for the text of one element, far above the limit of a comment."""
_NAMESPACE = re.compile(r"\{https?://wordpress\.org/export/([^/}]*)/\}(\w+)")
_BLOG = frozenset({"link", "wp:base_site_url", "wp:base_blog_url"})
_ARTICLE = frozenset({"title", "link"} | {
    f"wp:{name}"
    for name in (
        *("post_id", "post_date", "post_date_gmt", "post_type", "post_password", "status", "comment_status"),
    )
})  # fmt: skip
_AUTHOR = frozenset({"wp:author_id", "wp:author_login"})
_COMMENT = frozenset(
    f"wp:comment_{name}"
    for name in (
        *("id", "parent", "type", "approved", "content", "date", "date_gmt"),
        *("author", "author_email", "author_url", "user_id"),
    )
)
_WANTED = {
    (2, "channel"): _BLOG,
    (3, "item"): _ARTICLE,
    (3, "wp:author"): _AUTHOR,
    (4, "wp:comment"): _COMMENT,
}
"""The elements whose text is wanted, by depth and parent."""


def read(
    source: Path | BinaryIO,
    *,
    on_read: Callable[[int], object] | None = None,
    notes: Counter[str] | None = None,
) -> Iterator[ImportedThread]:
    """Yield the articles that have comments, one at a time, in the file's order.

    `on_read` is called with the number of bytes just read. `notes` counts what was repaired in the file. Raises
    TransferError, which says where and what to do, after it has yielded what the file has before that.
    """
    export = _Export()
    try:
        for _ in xml_events.events(source, export, on_read=on_read, notes=notes):
            while export.finished:
                yield export.finished.popleft()
    except TransferError:
        export.end_article()
        yield from export.finished
        raise


class _Export:
    """The parser's target: collects the texts of the wanted elements until their article ends."""

    def __init__(self) -> None:
        self.finished: deque[ImportedThread] = deque()
        self._path: list[str] = []
        self._text: list[str] | None = None
        self._length = 0
        self._at = 0
        self._is_export = False
        self._fields: dict[str, dict[str, str]] = {
            "channel": {},
            "item": {},
            "wp:author": {},
            "wp:comment": {},
        }
        """The texts read so far, by element."""
        self._comments: list[dict[str, str]] = []
        self._logins: dict[str, str] = {}
        """The login of each of the blog's authors, by number."""
        self._times = LocalTimes(now())

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        name = self._name(tag)
        depth = len(self._path)
        if depth == 0 and name != "rss":
            raise TransferError(f"this XML is not a WordPress export: it begins with <{tag[:40]}>. {_HOW}")
        if depth >= 2 and name in _WANTED.get((depth, self._path[-1]), ()) and self._is_inside(depth):
            self._text, self._length, self._at = [], 0, depth
        self._path.append(name)

    def data(self, text: str) -> None:
        if self._text is not None and self._length < _FIELD_LONGEST:
            self._text.append(text)
            self._length += len(text)

    def end(self, _tag: str) -> None:
        name = self._path.pop()
        depth = len(self._path)
        if self._text is not None and depth == self._at:
            # The blog's link comes before its articles, an image's link after them.
            self._fields[self._path[-1]].setdefault(name, "".join(self._text))
            self._text = None
        elif depth == 3 and name == "wp:comment":
            self._comments.append(self._taken(name))
        elif depth == 2 and name == "wp:author":
            author = self._taken(name)
            number = author.get("wp:author_id", "").strip()
            if number not in {"", "0"}:  # which guests have
                self._logins[number] = author.get("wp:author_login", "").strip()
        elif depth == 2 and name == "item":
            self._require_export()
            self.end_article()

    def close(self) -> None:
        self._require_export()

    def end_article(self) -> None:
        """Finish the article that is being read, with the comments that are complete."""
        fields, comments, self._comments = self._taken("item"), self._comments, []
        if comments:
            self._times.learn(fields.get("wp:post_date_gmt", ""), fields.get("wp:post_date", ""))
            for comment in comments:
                self._times.learn(comment.get("wp:comment_date_gmt", ""), comment.get("wp:comment_date", ""))
            records = tuple(
                wordpress_records.comment(comment, self._times, self._logins) for comment in comments
            )
            self.finished.append(
                wordpress_records.article(self._fields["channel"], fields, self._times, records)
            )

    def _taken(self, name: str) -> dict[str, str]:
        fields, self._fields[name] = self._fields[name], {}
        return fields

    def _is_inside(self, depth: int) -> bool:
        return depth < 4 or self._path[2] == "item"

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

    def _require_export(self) -> None:
        if not self._is_export:
            raise TransferError(f"this is an RSS feed, not a WordPress export. {_HOW}")


_HOW = "In WordPress, choose Tools > Export > All content."
