"""Reads the title of an article's page: `og:title`, `twitter:title`, or else `<title>`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser

from commentsvc.http_client.client import INTERNET, Network
from commentsvc.integrations import html_page

LARGEST = 512 * 1024
"""Bytes of a page that are read; the title is near its beginning."""
_DECLARED = ("og:title", "twitter:title")


@dataclass(frozen=True)
class ArticlePage:
    """An article's page."""

    url: str
    """The address after all redirects."""
    title: str
    """The title as its author wrote it; empty if there is none."""


def read(
    url: str, *, within: frozenset[str], allow_private: bool = False, network: Network = INTERNET
) -> ArticlePage | None:
    """Fetch a page and return its title; None if there is no page.

    Redirects are followed only to the origins in `within`. `allow_private` allows private networks.
    """
    page = html_page.fetch_html(
        url, largest=LARGEST, within=within, allow_private=allow_private, network=network
    )
    return ArticlePage(page.url, title_of(page.html)) if page else None


def title_of(html: str) -> str:
    """Return the title that a page declares for links to it, else its `<title>`, else an empty string."""
    reader = _Reader()
    # Python's parser has few AssertionErrors, for broken declarations; what it has read counts.
    with suppress(AssertionError, _BodyBeginsError):
        reader.feed(html)  # never `close`: a title that does not end is none
    return next((title for name in (*_DECLARED, "title") if (title := reader.titles.get(name))), "")


class _BodyBeginsError(Exception):
    """The page's head has ended; the rest need not be parsed."""


class _Reader(HTMLParser):
    # Of these only the end is looked for: the title of an SVG image, for example, is not the page's.
    CDATA_CONTENT_ELEMENTS = (  # type: ignore[misc]  # which the standard library does not change itself
        *("title", "script", "style", "svg", "noscript", "template", "textarea", "iframe"),
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.titles: dict[str, str] = {}
        self._title: list[str] | None = None
        """The text of the element that is being read."""

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        if tag == "body":
            raise _BodyBeginsError
        if tag == "title":
            self._title = []
        elif tag == "meta":
            given = {name: value or "" for name, value in reversed(attrs)}
            name = (given.get("property") or given.get("name") or "").lower()
            if name in _DECLARED and (content := given.get("content", "").strip()):
                self.titles.setdefault(name, content)

    def handle_data(self, data: str) -> None:
        if self._title is not None:
            self._title.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._title is not None:
            self.titles.setdefault(tag, unescape("".join(self._title)).strip())
            self._title = None
