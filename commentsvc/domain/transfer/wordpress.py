"""Reads WXR, the XML that WordPress exports under Tools > Export, versions 1.0 to 1.2."""

from __future__ import annotations

import html
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin

from commentsvc.domain.transfer import xml_events
from commentsvc.domain.transfer.local_times import LocalTimes
from commentsvc.domain.transfer.records import ImportedComment, ImportedThread
from commentsvc.errors import TransferError
from commentsvc.models import Kind, Status, TextFormat, now
from commentsvc.text import imported_html, markup

SYSTEM = "WordPress"
VERSIONS = ("1.0", "1.1", "1.2")
_FIELD_LONGEST = 300_000
"""Limit for the text of one element, far above the limit of a comment."""
_TITLE_LONGEST = 2000
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
_KINDS = {
    "": Kind.COMMENT,
    "comment": Kind.COMMENT,
    "review": Kind.COMMENT,
    "pingback": Kind.PINGBACK,
    "trackback": Kind.TRACKBACK,
    "webmention": Kind.PINGBACK,
    "mention": Kind.PINGBACK,
}
_STATUSES = {
    "1": Status.APPROVED,
    "approve": Status.APPROVED,
    "approved": Status.APPROVED,
    "spam": Status.SPAM,
    "trash": Status.TRASH,
    "post-trashed": Status.TRASH,
}
_PUBLIC = frozenset({"", "publish", "static"})
"""Statuses of articles that everybody could read; plugins have many others, such as those of orders."""


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
            self._logins[author.get("wp:author_id", "").strip()] = author.get("wp:author_login", "").strip()
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
            records = tuple(_comment(comment, self._times, self._logins) for comment in comments)
            self.finished.append(_article(self._fields["channel"], fields, self._times, records))

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


def _article(
    blog: dict[str, str], fields: dict[str, str], times: LocalTimes, comments: tuple[ImportedComment, ...]
) -> ImportedThread:
    home = (blog.get("wp:base_blog_url") or blog.get("link") or blog.get("wp:base_site_url") or "").strip()
    number, status, kind, password = (
        fields.get(f"wp:{name}", "").strip() for name in ("post_id", "status", "post_type", "post_password")
    )
    # An attachment inherits the status of its article; so does an old version of an article, which nobody saw.
    is_public = status.lower() in _PUBLIC or (status == "inherit" and kind == "attachment")
    published_at, _ = times.read(fields.get("wp:post_date_gmt", ""), fields.get("wp:post_date", ""))
    return ImportedThread(
        system=SYSTEM,
        source=re.sub(r"\Ahttps?://", "", home.lower()).rstrip("/"),
        url=_article_url(home, fields.get("link", "").strip(), number),
        comments=comments,
        id=number,
        title=_words(fields.get("title", "")),
        published_at=published_at,
        home=home,
        hidden=not is_public or password != "",
        hidden_why=_HIDDEN if is_public or status in _UNPUBLISHED else _UNKNOWN_STATUS.format(status[:40]),
        closed=fields.get("wp:comment_status", "").strip().lower() == "closed",
    )


_UNPUBLISHED = frozenset({"private", "draft", "auto-draft", "pending", "future", "trash", "inherit"})
_HIDDEN = "their article was private, a draft or behind a password"
_UNKNOWN_STATUS = "their article has the status “{}”, which is not known to be public"


def _article_url(home: str, link: str, number: str) -> str:
    """Return an article's URL; the link may lack its scheme, its host, or everything."""
    if not link:
        return f"{home.rstrip('/')}/?p={number}" if home and number else ""
    link = _plain_address(link)
    if link.startswith("//"):
        return f"{home.partition('//')[0] or 'https:'}{link}"
    if link.startswith("/") or re.match(r"[a-z][a-z0-9+.-]*:", link, re.IGNORECASE) or not home:
        return link
    return urljoin(f"{home.rstrip('/')}/", link)


def _comment(fields: dict[str, str], times: LocalTimes, logins: dict[str, str]) -> ImportedComment:
    def field(name: str) -> str:
        return fields.get(f"wp:comment_{name}", "").strip()

    kind = _KINDS.get(field("type").lower())
    parent = field("parent")
    created_at, note = times.read(field("date_gmt"), field("date"))
    return ImportedComment(
        id=field("id"),
        text=fields.get("wp:comment_content", ""),
        format=TextFormat.HTML,
        status=_STATUSES.get(field("approved").lower(), Status.HELD),
        parent_id=parent if parent not in {"", "0"} else None,
        kind=kind or Kind.COMMENT,
        # WordPress stores a name as HTML, with references for & and quotes.
        name=html.unescape(field("author")),
        email=html.unescape(field("author_email")),
        website=_plain_address(field("author_url")),
        created_at=created_at,
        # Only someone logged in has a number; a name and an address can be anybody's.
        user=logins.get(field("user_id"), ""),
        notes=(note,) if note else (),
        # Order notes, webhooks and editorial remarks were never shown to readers.
        refused="" if kind else f"of type “{field('type')[:40]}”, which is not for readers",
    )


def _words(title: str) -> str:
    """Return a title as text: WordPress's titles are HTML, and `plain` needs it well-formed."""
    return markup.plain(imported_html.rewrite(title[:_TITLE_LONGEST]))


def _plain_address(url: str) -> str:
    """Replace only the references that WordPress itself writes: "?a=1&copy=2" contains none."""
    return url.replace("&#038;", "&").replace("&amp;", "&")
