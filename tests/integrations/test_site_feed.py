"""Feeds as they are met: RSS, Atom and JSON Feed, what is no feed, and what is an attack."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commentsvc.errors import ForbiddenDestinationError, OutboundError
from commentsvc.integrations import site_feed
from commentsvc.integrations.site_feed import ReadItem

AT = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
URL = "https://blog.example/feed"
ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title><id>urn:blog</id>
<entry><title type="text">Use &lt;b&gt; well</title><id>urn:1</id><link href="/a/"/>
<published>2026-11-30T09:00:00+01:00</published></entry></feed>"""
RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Blog</title>
<item><title>Swifts &amp;amp; swallows</title><link>https://blog.example/a/</link><guid isPermaLink="false">7</guid>
<pubDate>Mon, 30 Nov 2026 08:00:00 GMT</pubDate></item>
<item><title>Without an address</title></item></channel></rss>"""


def parse(text: str | bytes) -> list[ReadItem]:
    body = text if isinstance(text, bytes) else text.encode()
    return list(site_feed.parse(body, "application/xml", URL))


def test_atom() -> None:
    assert parse(ATOM) == [ReadItem("urn:1", "Use &lt;b&gt; well", "https://blog.example/a/", AT)]


def test_rss() -> None:
    (item,) = parse(RSS)
    assert (item.key, item.url, item.published) == ("7", "https://blog.example/a/", AT)
    assert item.title.replace("&amp;", "&") == "Swifts & swallows"


def test_json_feed() -> None:
    item = {
        "id": 7,
        "url": "https://blog.example/a/",
        "title": "A < B",
        "date_published": "2026-11-30T08:00:00Z",
    }
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "Blog", "items": [item, {"id": 8}, "no"]}
    expected = ReadItem("7", "A &lt; B", "https://blog.example/a/", AT)
    assert parse(json.dumps(feed)) == [expected]


@pytest.mark.parametrize(
    "text", ["", "Hello", "<html><body>Not found</body></html>", "{}", "{", '{"items": 5}', "[" * 100_000]
)
def test_what_is_no_feed_is_refused(text: str) -> None:
    with pytest.raises(OutboundError):
        parse(text)


@pytest.mark.parametrize("when", ["", "yesterday"])
def test_a_date_that_cannot_be_read_is_none(when: str) -> None:
    (item,) = parse(ATOM.replace("2026-11-30T09:00:00+01:00", when))
    assert item.published is None


def test_a_feed_reads_no_file_and_its_entities_do_not_grow(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not read this")
    body = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "file://{secret}">]>' + RSS.partition("?>")[2].replace(
        "Swifts", "&x;"
    )
    assert "do not read" not in repr(parse(body))
    grown = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    body = f'<!DOCTYPE rss [<!ENTITY e0 "lol">{grown}]>' + RSS.partition("?>")[2].replace("Swifts", "&e9;")
    began = time.monotonic()
    assert len(repr(parse(body))) < 10_000
    assert time.monotonic() - began < 5
    assert "do not read" not in repr(_parsed_or_none(str(secret).encode()))


def _parsed_or_none(body: bytes) -> list[ReadItem] | None:
    try:
        return parse(body)
    except OutboundError:
        return None


def test_a_private_address_is_not_asked() -> None:
    with pytest.raises(ForbiddenDestinationError):
        site_feed.read("http://127.0.0.1:9/feed", etag=None, last_modified=None)
