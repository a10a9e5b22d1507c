"""Fetches the HTML pages of strangers, and decodes them as browsers do."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

from commentsvc.encoding_labels import MEANT
from commentsvc.errors import OutboundError
from commentsvc.http_client import client
from commentsvc.http_client.client import INTERNET, Network

SECONDS = 10.0
HTML = frozenset({"text/html", "application/xhtml+xml"})
WEB = frozenset({"https", "http"})
_HEAD = 4096
"""Bytes in which a page must declare its encoding."""
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_KNOWN = re.compile(
    r"utf-(8|16(-[lb]e)?)|iso8859-\d+|cp\d+|koi8-[ru]|gb18030|big5(hkscs)?|shift_jis|euc_(jp|kr)|iso2022_jp"
)


@dataclass(frozen=True)
class HtmlPage:
    """A page."""

    url: str
    """The address after all redirects."""
    html: str = field(repr=False)


def fetch_html(
    url: str,
    *,
    largest: int,
    within: frozenset[str],
    allow_private: bool = False,
    network: Network = INTERNET,
) -> HtmlPage | None:
    """Fetch a page, of which `largest` bytes are read; None if there is no page.

    Redirects are followed only to the origins in `within`. `allow_private` allows private networks.
    """
    try:
        answer = client.fetch(
            url,
            largest=largest,
            seconds=SECONDS,
            accept=HTML,
            schemes=WEB,
            within=within,
            is_cut=True,
            allow_private=allow_private,
            network=network,
        )
    except OutboundError:
        return None
    if answer.status != 200:
        return None
    return HtmlPage(answer.url, decoded(answer.body, answer.headers.get("content-type", "")))


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
    name = MEANT.get(name, name)
    return name if _KNOWN.fullmatch(name) else None
