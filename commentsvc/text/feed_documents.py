"""Writes feeds: Atom (RFC 4287) with its threading extension (RFC 4685), and JSON Feed 1.1.

XML 1.0 forbids some characters even when they are escaped, and one of them would make the whole feed unreadable for
every subscriber. So each text loses them here, whatever was stored.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from commentsvc.text.characters import allowed_in_xml

ATOM, THREADING = "http://www.w3.org/2005/Atom", "http://purl.org/syndication/thread/1.0"
ATOM_TYPE, JSON_TYPE = "application/atom+xml", "application/feed+json"
JSON_VERSION = "https://jsonfeed.org/version/1.1"


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A comment. Its texts are plain, except `html`."""

    id: str
    """A URI that stays the same for ever."""
    url: str
    title: str
    author: str
    website: str | None
    html: str
    published: datetime
    updated: datetime
    article_url: str
    in_reply_to: str
    """The id of the comment that it answers, or the article's URL."""
    in_reply_to_url: str


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """A feed of comments, newest first."""

    id: str
    title: str
    home_url: str
    url: str
    """Its own address; empty if that is a secret which it does not repeat."""
    updated: datetime
    entries: Sequence[FeedEntry]


def atom(feed: FeedDocument) -> bytes:
    """Return a feed as Atom, in UTF-8."""
    root = Element("feed", {"xmlns": ATOM, "xmlns:thr": THREADING})
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "updated", _time(feed.updated))
    _add(root, "link", rel="alternate", type="text/html", href=feed.home_url)
    if feed.url:
        _add(root, "link", rel="self", type=ATOM_TYPE, href=feed.url)
    for entry in feed.entries:
        _add_entry(root, entry)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_entry(root: Element, entry: FeedEntry) -> None:
    item = SubElement(root, "entry")
    _add(item, "id", entry.id)
    _add(item, "title", entry.title)
    _add(item, "updated", _time(entry.updated))
    _add(item, "published", _time(entry.published))
    author = SubElement(item, "author")
    _add(author, "name", entry.author)
    if entry.website:
        _add(author, "uri", entry.website)
    _add(item, "link", rel="alternate", type="text/html", href=entry.url)
    _add(item, "thr:in-reply-to", ref=entry.in_reply_to, href=entry.in_reply_to_url, type="text/html")
    _add(item, "content", entry.html, type="html")


def _add(parent: Element, name: str, text: str | None = None, **attributes: str) -> None:
    element = SubElement(parent, name, {key: allowed_in_xml(value) for key, value in attributes.items()})
    element.text = None if text is None else allowed_in_xml(text)


def json_feed(feed: FeedDocument) -> bytes:
    """Return a feed as JSON Feed, in UTF-8."""
    document: dict[str, Any] = {
        "version": JSON_VERSION,
        "title": allowed_in_xml(feed.title),
        "home_page_url": allowed_in_xml(feed.home_url),
    }
    if feed.url:
        document["feed_url"] = allowed_in_xml(feed.url)
    document["items"] = [_item(entry) for entry in feed.entries]
    return json.dumps(document, ensure_ascii=False).encode()


def _item(entry: FeedEntry) -> dict[str, Any]:
    author = {"name": entry.author} | ({"url": entry.website} if entry.website else {})
    return {
        "id": entry.id,
        "url": allowed_in_xml(entry.url),
        "title": allowed_in_xml(entry.title),
        "content_html": allowed_in_xml(entry.html),
        "date_published": _time(entry.published),
        "date_modified": _time(entry.updated),
        "authors": [{key: allowed_in_xml(value) for key, value in author.items()}],
        "_commentsvc": {
            "in_reply_to": allowed_in_xml(entry.in_reply_to),
            "article": allowed_in_xml(entry.article_url),
        },
    }


def _time(at: datetime) -> str:
    """Return a time as RFC 3339 writes it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
