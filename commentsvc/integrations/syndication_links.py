"""Finds the posts by which an article was announced elsewhere, in the article's own HTML.

These are the addresses of `rel=syndication` and `u-syndication`, and an attribute of the element that embeds us. What
belongs to an answer that the article quotes (`h-cite`) is a stranger's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from commentsvc.errors import OutboundError
from commentsvc.http_client import client
from commentsvc.http_client.client import INTERNET, Network
from commentsvc.integrations.article_page import decoded

LARGEST = 2 * 1024 * 1024
"""Bytes of a page that are read; the element that embeds us is near its end."""
SECONDS = 10.0
MOST = 20
"""Addresses of a page that are looked at."""
_ADDRESS_LONGEST = 1000
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_WEB = frozenset({"https", "http"})
_TAG_LONGEST = 8192
_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*+)(?=[\s/>])((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?<![\w-])([a-z][a-z-]*+)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>]++))", re.IGNORECASE
)
# The content of these elements is text, or is not part of the page.
_OPAQUE = {
    name: re.compile(f"</{name}(?=[\\s/>])", re.IGNORECASE)
    for name in ("title", "script", "style", "noscript", "template", "textarea", "iframe")
}
_CITED = frozenset({"h-cite", "u-comment", "p-comment"})
_EMBEDDING = frozenset({"comment-thread", "div", "script"})


def read(
    url: str,
    attribute: str,
    *,
    within: frozenset[str],
    allow_private: bool = False,
    network: Network = INTERNET,
) -> list[str]:
    """Fetch an article's page and return the addresses in it, as `addresses_in` does.

    Redirects are followed only to the origins in `within`. `allow_private` allows private networks. Raises
    OutboundError if there is no page.
    """
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
    if answer.status != 200:
        raise OutboundError(f"The article's page answered with status {answer.status}.")
    return addresses_in(decoded(answer.body, answer.headers.get("content-type", "")), attribute)


def addresses_in(html: str, attribute: str) -> list[str]:
    """Return the addresses of posts that a page names: first those of `attribute` of the element that embeds us.

    `attribute` is a name in lower case, such as "data-mastodon". At most `MOST` are returned, each once.
    """
    own: list[str] = []
    others: list[str] = []
    for name, attributes in _tags(html):
        if name in _EMBEDDING and attributes.get(attribute):
            own.append(attributes[attribute])
        if name in {"a", "link"} and _is_syndication(attributes):
            others.append(attributes.get("href", ""))
        if len(own) + len(others) >= MOST:
            break
    addresses = (address.strip() for address in own + others)
    return list(dict.fromkeys(one for one in addresses if 0 < len(one) <= _ADDRESS_LONGEST))


def _is_syndication(attributes: dict[str, str]) -> bool:
    named = attributes.get("rel", "").lower().split()
    return "syndication" in named or "u-syndication" in attributes.get("class", "").split()


def _tags(html: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the start tags outside of quoted answers, with their attributes."""
    cited, depth = "", 0
    for slash, name, inside in _pieces(html):
        if cited:
            depth += (-1 if slash else 1) if name == cited else 0
            cited = cited if depth else ""
        elif not slash:
            attributes = _attributes(inside)
            if _CITED.isdisjoint(attributes.get("class", "").split()):
                yield name, attributes
            else:
                cited, depth = name, 1


def _pieces(html: str) -> Iterator[tuple[str, str, str]]:
    """Yield (slash, name, attributes) for each tag; takes time linear in the length of a page."""
    index = html.find("<")
    while index >= 0:
        if html.startswith("<!--", index):
            index = html.find("-->", index)
        elif match := _TAG.match(html, index, index + _TAG_LONGEST):
            name, index = match[2].lower(), match.end()
            yield match[1], name, match[3]
            if name in _OPAQUE and not match[1]:
                end = _OPAQUE[name].search(html, index)
                if end is None:  # the page was cut or is broken
                    return
                index = end.start()
        else:
            index += 1
        if index < 0:
            return
        index = html.find("<", index)


def _attributes(inside: str) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(inside):
        attributes.setdefault(name.lower(), unescape("".join(values)))
    return attributes
