"""Reads the title of an article's page: `og:title`, `twitter:title`, or else `<title>`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from commentsvc.http_client.client import INTERNET, Network
from commentsvc.integrations import html_page

LARGEST = 512 * 1024
"""Bytes of a page that are read; the title is near its beginning."""
_DECLARED = ("og:title", "twitter:title")
_TAG_LONGEST = 8192
_TAG = re.compile(r"<([a-z][a-z0-9]*+)(?=[\s/>])((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>]++))", re.IGNORECASE)
# The content of these elements is not parsed; the title of an SVG image, for example, is not the page's.
_OPAQUE = {
    name: re.compile(f"</{name}(?=[\\s/>])", re.IGNORECASE)
    for name in ("title", "script", "style", "svg", "noscript", "template", "textarea", "iframe")
}


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
    titles: dict[str, str] = {}
    for name, inside in _tags(html):
        if name == "title":
            titles.setdefault(name, unescape(inside))
        elif name == "meta":
            text = {
                match[1].lower(): next(filter(None, match.groups()[1:]), "")
                for match in _ATTRIBUTE.finditer(inside)
            }
            named = (text.get("property") or text.get("name") or "").lower()
            if named in _DECLARED and text.get("content", "").strip():
                titles.setdefault(named, unescape(text["content"]))
    return next((titles[name] for name in (*_DECLARED, "title") if titles.get(name, "").strip()), "").strip()


def _tags(html: str) -> Iterator[tuple[str, str]]:
    """Yield the tags before the page's body: the title with its text, others with their attributes."""
    index = html.find("<")
    while index >= 0:
        if html.startswith("<!--", index):
            index = html.find("-->", index)
        elif match := _TAG.match(html, index, index + _TAG_LONGEST):
            name, index = match[1].lower(), match.end()
            if name == "body":
                return
            if name in _OPAQUE:
                end = _OPAQUE[name].search(html, index)
                if end is None:  # the page was cut or is broken
                    return
                if name == "title":
                    yield name, html[index : end.start()]
                index = end.end()
            else:
                yield name, match[2]
        else:
            index += 1
        if index < 0:
            return
        index = html.find("<", index)
