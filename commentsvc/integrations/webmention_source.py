"""Requests the source of a webmention, and reads what it says about the article: microformats2, where it has them.

The reader is our own: what it needs of microformats is little, and the HTML is a stranger's. It takes time in
proportion to the page, whatever is in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urldefrag, urljoin

from commentsvc.errors import ForbiddenDestinationError, OutboundError
from commentsvc.http_client import client
from commentsvc.http_client.client import INTERNET, Network
from commentsvc.integrations import html_page
from commentsvc.integrations.microformats import Item, page_of

LARGEST = 1024 * 1024
"""Bytes; the source of a webmention that has more is not read."""
SECONDS = 5.0
_GONE = frozenset({404, 410})


class SourceState(StrEnum):
    """What became of a request for a source."""

    LINKS = "links"
    NO_LINK = "no_link"
    """It can be read, and does not link to the article."""
    GONE = "gone"
    """It says that it does not exist any more."""
    MISSING = "missing"
    """It cannot be found now."""
    UNREADABLE = "unreadable"
    """There was no usable answer; there may be one later."""
    FORBIDDEN = "forbidden"
    """Its address is not one that the service requests."""


@dataclass(frozen=True)
class MentionSource:
    """A page that was read for the link to an article."""

    state: SourceState
    url: str = ""
    """Its address after all redirects, without a fragment."""
    verb: str = ""
    """`in-reply-to`, `like-of`, `repost-of`, `bookmark-of`, or empty for a mere link."""
    name: str = ""
    """The author's name."""
    author_url: str = ""
    picture_url: str = ""
    title: str = ""
    html: str = field(default="", repr=False)
    """The text, as untrusted HTML; empty if there is none."""
    published_at: datetime | None = None


def read(
    source: str, target: str, *, allow_private: bool = False, network: Network = INTERNET
) -> MentionSource:
    """Request a source; never raises for whatever it answers."""
    try:
        answer = client.fetch(
            source,
            largest=LARGEST,
            seconds=SECONDS,
            accept=html_page.HTML,
            schemes=html_page.WEB,
            allow_private=allow_private,
            network=network,
        )
    except ForbiddenDestinationError:
        return MentionSource(SourceState.FORBIDDEN)
    except OutboundError:
        return MentionSource(SourceState.UNREADABLE)
    if answer.status in _GONE:
        return MentionSource(SourceState.GONE if answer.status == 410 else SourceState.MISSING)
    if answer.status != 200:
        return MentionSource(SourceState.UNREADABLE)
    html = html_page.decoded(answer.body, answer.headers.get("content-type", ""))
    return source_of(html, urldefrag(answer.url).url, target)


def source_of(html: str, url: str, target: str) -> MentionSource:
    """Read a page's HTML."""
    page = page_of(html, url)
    if target not in page.links:
        return MentionSource(SourceState.NO_LINK, url)
    entry = next((item for item in page.entries if target in item.links), None)
    if entry is None:
        return MentionSource(SourceState.LINKS, url, title=page.title)
    author = entry.child("author") or page.author
    return MentionSource(
        SourceState.LINKS,
        url,
        verb=_verb(entry, target),
        name=author.first("name") if author else entry.first("author"),
        author_url=urljoin(url, author.first("url")) if author else "",
        picture_url=urljoin(url, author.first("photo")) if author and author.first("photo") else "",
        title=entry.first("name") or page.title,
        html=entry.html,
        published_at=_time(entry.first("published")),
    )


def _verb(entry: Item, target: str) -> str:
    for verb in ("in-reply-to", "like-of", "repost-of", "bookmark-of"):
        if target in entry.addresses(verb):
            return verb
    return ""


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
