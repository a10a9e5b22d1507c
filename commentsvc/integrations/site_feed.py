"""Reads a website's feed: RSS and Atom by feedparser, JSON Feed by itself; the only importer of feedparser."""

from __future__ import annotations

import calendar
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

import feedparser

from commentsvc.errors import OutboundError
from commentsvc.http_client import client
from commentsvc.http_client.client import INTERNET, Network

LARGEST = 4 * 1024 * 1024
"""Bytes of a feed."""
SECONDS = 20.0
MOST_ITEMS = 200
"""Items of a feed that are read."""
_KINDS = frozenset({"application/", "text/"})
_WEB = frozenset({"https", "http"})
_ETAG_LONGEST, _DATE_LONGEST = 300, 100


@dataclass(frozen=True, slots=True)
class ReadItem:
    """An item of a feed."""

    key: str
    """Its id, or else its address."""
    title: str
    """HTML."""
    url: str
    published: datetime | None


@dataclass(frozen=True, slots=True)
class ReadFeed:
    """The answer to a request for a feed."""

    items: tuple[ReadItem, ...] | None
    """None if the feed is unchanged."""
    etag: str | None
    last_modified: str | None


def read(
    url: str,
    *,
    etag: str | None,
    last_modified: str | None,
    allow_private: bool = False,
    network: Network = INTERNET,
) -> ReadFeed:
    """Request a feed if it has changed since the answer with `etag` and `last_modified`.

    `allow_private` allows private networks. Raises OutboundError if there is no feed.
    """
    known = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    answer = client.fetch(
        url,
        largest=LARGEST,
        seconds=SECONDS,
        accept=_KINDS,
        headers={name: value for name, value in known.items() if value},
        schemes=_WEB,
        allow_private=allow_private,
        network=network,
    )
    if answer.status == 304:
        return ReadFeed(None, etag, last_modified)
    if answer.status != 200:
        raise OutboundError(f"The server answered with status {answer.status}.")
    items = tuple(parse(answer.body, answer.headers.get("content-type", ""), answer.url))
    return ReadFeed(
        items,
        _short(answer.headers.get("etag"), _ETAG_LONGEST),
        _short(answer.headers.get("last-modified"), _DATE_LONGEST),
    )


def parse(body: bytes, content_type: str, url: str) -> Iterator[ReadItem]:
    """Yield the items of a feed that have an address; raises OutboundError if it is none."""
    entries = _json_items(body) if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" else None
    yield from _xml_items(body, content_type, url) if entries is None else entries


def _xml_items(body: bytes, content_type: str, url: str) -> Iterator[ReadItem]:
    # A file object, because feedparser takes text for an address or the name of a file.
    headers = {"content-type": content_type, "content-location": url}
    try:
        feed: Any = feedparser.parse(io.BytesIO(body), response_headers=headers)
    except Exception as error:  # a feed that breaks the parser must not stop the mails of other sites
        raise OutboundError(f"This feed cannot be read ({type(error).__name__}).") from error
    if not feed.get("version"):
        raise OutboundError("This is no feed: neither RSS nor Atom nor JSON Feed.")
    for entry in feed.entries[:MOST_ITEMS]:
        link = str(entry.get("link") or "")
        if link:
            # The dictionary's own `get`, because feedparser's warns of a date that is only published.
            when = dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed")
            yield ReadItem(str(entry.get("id") or link), _title(entry), link, _time(when))


def _json_items(body: bytes) -> Iterator[ReadItem]:
    try:
        feed = json.loads(body)
        entries = [entry for entry in feed["items"] if isinstance(entry, dict)]
        if not str(feed["version"]).startswith("https://jsonfeed.org/version/"):
            raise KeyError("version")
    except (ValueError, KeyError, TypeError, RecursionError):
        raise OutboundError("This is no feed: it is JSON, but no JSON Feed.") from None
    return (
        ReadItem(
            str(entry.get("id") or entry["url"]),
            escape(str(entry.get("title") or "")),
            str(entry["url"]),
            _json_time(entry.get("date_published")),
        )
        for entry in entries[:MOST_ITEMS]
        if entry.get("url")
    )


def _title(entry: Any) -> str:
    """Return an item's title as HTML, whatever it was."""
    title = str(entry.get("title") or "")
    return escape(title) if entry.get("title_detail", {}).get("type") == "text/plain" else title


def _time(parts: Any) -> datetime | None:
    with suppress(TypeError, ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(calendar.timegm(parts), UTC)
    return None


def _json_time(value: object) -> datetime | None:
    with suppress(ValueError, OverflowError):
        when = datetime.fromisoformat(str(value))
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    return None


def _short(value: str | None, longest: int) -> str | None:
    """Return a header if it can be stored whole: half of one would never match."""
    return value if value and len(value) <= longest and value.isascii() and value.isprintable() else None
