"""Reads the links of an article's page to posts of itself on social networks, and the attributes of our element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser

from commentsvc.http_client.client import INTERNET, Network
from commentsvc.integrations import html_page

LARGEST = 2 * 1024 * 1024
"""Bytes of a page that are read: our element is often at its end."""
_MOST = 20
"""Links, and attributes, of one page."""
_LONGEST = 500
_ELEMENT = "comment-thread"
_CITED = frozenset({"h-cite", "u-comment", "p-comment"})
"""Classes of what a page quotes from others, such as its mentions: their posts are not the article's."""


@dataclass
class PageLinks:
    """The links of a page."""

    url: str = ""
    """The page's address after all redirects."""
    syndication: list[str] = field(default_factory=list)
    """Addresses of links with `rel=syndication` or the class `u-syndication`, in the page's order."""
    attributes: dict[str, str] = field(default_factory=dict)
    """The attributes `data-…` of our element, without "data-"."""


def read(
    url: str, *, within: frozenset[str], allow_private: bool = False, network: Network = INTERNET
) -> PageLinks | None:
    """Fetch a page and return its links; None if there is no page. Redirects lead only to the origins in `within`."""
    page = html_page.fetch_html(
        url, largest=LARGEST, within=within, allow_private=allow_private, network=network
    )
    if page is None:
        return None
    links = links_in(page.html)
    links.url = page.url
    return links


def links_in(html: str) -> PageLinks:
    """Return the links in a page's HTML, as they are written there."""
    reader = _Reader()
    with suppress(
        AssertionError
    ):  # Python's parser has few, for broken declarations; what it has read counts
        reader.feed(html)
    return reader.links


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links = PageLinks()
        self._cited, self._depth = "", 0

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = {name: (value or "").strip() for name, value in reversed(attrs)}
        if self._cited:
            self._depth += tag == self._cited
        elif not _CITED.isdisjoint(given.get("class", "").split()):
            self._cited, self._depth = tag, 1
        elif tag in {"a", "link"} and _is_syndication(given):
            self._add_link(given.get("href", ""))
        elif tag == _ELEMENT or (
            tag in {"div", "script"} and any(name.startswith("data-") for name in given)
        ):
            self._add_attributes(given)

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == self._cited
        if self._depth <= 0:
            self._cited, self._depth = "", 0

    def _add_link(self, href: str) -> None:
        if 0 < len(href) <= _LONGEST and len(self.links.syndication) < _MOST:
            self.links.syndication.append(href)

    def _add_attributes(self, given: Mapping[str, str]) -> None:
        for name, value in given.items():
            plain = name.removeprefix("data-")
            if plain in {"mastodon", "bluesky"} and 0 < len(value) <= _LONGEST:
                self.links.attributes.setdefault(plain, value)


def _is_syndication(given: Mapping[str, str]) -> bool:
    return (
        "syndication" in given.get("rel", "").lower().split()
        or "u-syndication" in given.get("class", "").split()
    )
