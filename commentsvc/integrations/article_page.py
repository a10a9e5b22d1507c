"""Reads the title of an article's page: `og:title`, `twitter:title`, or else `<title>`."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from commentsvc.errors import OutboundError
from commentsvc.http_client import client
from commentsvc.http_client.client import INTERNET, Network

LARGEST = 512 * 1024
"""Bytes of a page that are read; the title is near its beginning."""
SECONDS = 10.0
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_WEB = frozenset({"https", "http"})
_DECLARED = ("og:title", "twitter:title")
_TAG_LONGEST = 8192
_HEAD = 4096
"""Bytes in which a page must declare its encoding."""
_TAG = re.compile(r"<([a-z][a-z0-9]*+)(?=[\s/>])((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>]++))", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
# The content of these elements is not parsed; the title of an SVG image, for example, is not the page's.
_OPAQUE = {
    name: re.compile(f"</{name}(?=[\\s/>])", re.IGNORECASE)
    for name in ("title", "script", "style", "svg", "noscript", "template", "textarea", "iframe")
}
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Like browsers: a page declared as Latin-1 is read as Windows-1252.
_CODECS = {"ascii": "cp1252", "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
_KNOWN = re.compile(
    r"utf-(8|16(-[lb]e)?)|iso8859-\d+|cp\d+|koi8-[ru]|gb18030|big5|shift_jis|euc_(jp|kr)|iso2022_jp"
)


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
    try:
        answer = client.fetch(
            url,
            largest=LARGEST,
            seconds=SECONDS,
            accept=_HTML,
            schemes=_WEB,
            within=within,
            is_cut=True,
            allow_private=allow_private,
            network=network,
        )
    except OutboundError:
        return None
    if answer.status != 200:
        return None
    return ArticlePage(answer.url, title_of(decoded(answer.body, answer.headers.get("content-type", ""))))


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


def decoded(body: bytes, content_type: str) -> str:
    """Return a page's text, decoded by its byte order mark, its HTTP header, its own declaration, or as UTF-8."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    beginning = body[:_HEAD].decode("latin-1")
    for text in (content_type, beginning):
        match = _CHARSET.search(text)
        name = _codec(match[1]) if match else None
        if name:
            # A declaration that can be read as ASCII cannot be in UTF-16, whatever it says.
            return body.decode(
                "utf-8" if text is beginning and name.startswith("utf-16") else name, "replace"
            )
    return body.decode("utf-8", "replace")


def _codec(label: str) -> str | None:
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    name = _CODECS.get(name, name)
    return name if _KNOWN.fullmatch(name) else None


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
