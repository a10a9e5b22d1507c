"""An article's page, asked for nothing but its title: `og:title`, `twitter:title`, or else `<title>`."""

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
"""Bytes of a page that are read; titles stand at its beginning."""
SECONDS = 10.0
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_WEB = frozenset({"https", "http"})
_DECLARED = ("og:title", "twitter:title")
_TAG_LONGEST = 8192
_HEAD = 4096
"""Bytes in which a page must say how its letters are encoded."""
_TAG = re.compile(r"<([a-z][a-z0-9]*+)(?=[\s/>])((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>]++))", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
# What stands in these is no markup; a picture's title is not the page's.
_OPAQUE = {
    name: re.compile(f"</{name}(?=[\\s/>])", re.IGNORECASE)
    for name in ("title", "script", "style", "svg", "noscript", "template", "textarea", "iframe")
}
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# As browsers read them: what calls itself Latin-1 is Windows-1252.
_CODECS = {"ascii": "cp1252", "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
_KNOWN = re.compile(
    r"utf-(8|16(-[lb]e)?)|iso8859-\d+|cp\d+|koi8-[ru]|gb18030|big5|shift_jis|euc_(jp|kr)|iso2022_jp"
)


@dataclass(frozen=True)
class ArticlePage:
    """What a page said of itself."""

    url: str
    """Where it was found in the end."""
    title: str
    """Raw, as its author wrote it; empty where there is none."""


def read(
    url: str, *, within: frozenset[str], allow_private: bool = False, network: Network = INTERNET
) -> ArticlePage | None:
    """Ask for a page and return what it calls itself; None where no page answers.

    Redirects are followed within the origins `within` alone. `allow_private` opens private networks.
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
    """Return the title that a page declares for those who link to it, else that of its window; empty for none."""
    results: dict[str, str] = {}
    for name, inside in _tags(html):
        if name == "title":
            results.setdefault(name, unescape(inside))
        elif name == "meta":
            text = {
                match[1].lower(): next(filter(None, match.groups()[1:]), "")
                for match in _ATTRIBUTE.finditer(inside)
            }
            named = (text.get("property") or text.get("name") or "").lower()
            if named in _DECLARED and text.get("content", "").strip():
                results.setdefault(named, unescape(text["content"]))
    return next(
        (results[name] for name in (*_DECLARED, "title") if results.get(name, "").strip()), ""
    ).strip()


def decoded(body: bytes, content_type: str) -> str:
    """Return a page's text by its byte order mark, its header, what it says of itself, or as UTF-8."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    beginning = body[:_HEAD].decode("latin-1")
    for text in (content_type, beginning):
        match = _CHARSET.search(text)
        name = _codec(match[1]) if match else None
        if name:
            # A page that was read as ASCII to find this is not in UTF-16, whatever it says.
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
    """Yield the tags up to the page's body: a title's with its text, others with their attributes."""
    at = html.find("<")
    while at >= 0:
        if html.startswith("<!--", at):
            at = html.find("-->", at)
        elif match := _TAG.match(html, at, at + _TAG_LONGEST):
            name, at = match[1].lower(), match.end()
            if name == "body":
                return
            if name in _OPAQUE:
                end = _OPAQUE[name].search(html, at)
                if end is None:  # a page that was cut, or is broken
                    return
                if name == "title":
                    yield name, html[at : end.start()]
                at = end.end()
            else:
                yield name, match[2]
        else:
            at += 1
        if at < 0:
            return
        at = html.find("<", at)
