"""Renders a comment's source as safe HTML: Markdown or imported HTML, then bleach, then nh3.

The only importer of both sanitisers, and the only module that declares HTML safe. bleach gets no more releases, so nh3,
an independent and maintained parser, is last.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from html import escape as html_escape
from html import unescape
from html.parser import HTMLParser
from typing import Any, cast
from urllib.parse import urlsplit

import nh3
from bleach.linkifier import LinkifyFilter
from bleach.sanitizer import Cleaner
from markupsafe import Markup

from commentsvc import host_names
from commentsvc.text import imported_html, link_words, markdown, text_nodes
from commentsvc.text.characters import DIRECTION_MARKS, OVERRIDES
from commentsvc.text.clusters import limited

VERSION = 4
"""Version of the renderer; raise it with every change of its output, and `commentsvc rerender` updates stored HTML."""

TAGS = frozenset(
    {
        "a",
        "b",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "i",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "span",
        "strong",
        "ul",
    }
)
ATTRIBUTES: Mapping[str, list[str]] = {
    "a": ["href", "rel", "target"],
    "code": ["class"],
    "span": ["class"],
    "ol": ["start"],
}
PROTOCOLS = frozenset({"http", "https", "mailto"})
REL = "nofollow ugc noopener noreferrer"
_CLASS = re.compile(r"(hl-[a-z0-9]{1,4}|language-[a-z0-9+#-]{1,30})")
MOST_GROWTH = 32
"""Largest ratio of a comment's HTML to its source in length; only a text of nothing but short links reaches it."""
# Only text that is clearly meant as an address: "foo.py" is a file, not a site in Paraguay.
# Parentheses around it are included; `strip_non_url_bits` decides which belong to it.
_URL = re.compile(
    r"""(?<![\w@./])\({0,3}(?:https?://|www\.(?=\w))"""
    r"""(?:[^\s<>"'`{}|\\^\[\]\u061c\u200e\u200f\u3001\u3002\u300d\u300f\u3011\uff01\uff09\uff0c\uff1a\uff1b\uff1f]"""
    r"""|\[[\w-]{0,30}\]){2,2000}(?<![!?:;\u2026\u201d\u2019\u00bb])""",
    re.IGNORECASE,
)
_SENTENCE = frozenset(".,!?:;\u2026\u201d\u2019\u00bb")
# A host name or an IPv6 address, without a user before it, and with digits only as its port.
_WEB = re.compile(
    r"https?://(?:[^\s/?#:@%\\\[\]]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:[/?#][^\s\\]*)?", re.IGNORECASE
)
_HOST = re.compile(r"[a-z0-9_.~-]*[a-z0-9_]|[0-9a-f:.]+")
# Lines of letters, digits, emoji and punctuation, with single spaces, that do not begin like a list. Nothing in them
# has a meaning in Markdown or HTML, except an underscore, and "//" or "www.", which may make a link.
_SPOKEN = (
    r"""[\w.,;:?!"'()/%$\u00a3\u00b0\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u20ac\u3001\u3002"""
    "\u2600-\u27bf\ufe0f\u200d\U0001f300-\U0001faff-]++"
)
_SPOKEN_LINE = rf"(?![-\d]){_SPOKEN}(?:\x20{_SPOKEN})*+"
_PROSE = re.compile(rf"{_SPOKEN_LINE}(?:\n++{_SPOKEN_LINE})*+")
_DECEIVING = re.compile(f"[{''.join(OVERRIDES | DIRECTION_MARKS)}]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-f]+)|([0-9]+));?", re.IGNORECASE)


SafeHtml = Markup
_Attributes = dict[Any, str]


@dataclass(frozen=True)
class Rendered:
    """A comment's HTML, and whether both sanitisers agree on it."""

    html: str
    agreed: bool


def render_markdown(source: str) -> Rendered:
    """Render what a visitor typed; tags that are not those of `typed_tags` are shown as text."""
    return _prose(source) or _bounded(source, _MARKDOWN(source))


def render_html(source: str) -> Rendered:
    """Render HTML exported by another system: line breaks count; unknown tags are dropped, but not their text."""
    return _bounded(source, imported_html.rewrite(_REFERENCE.sub(_reference, source)))


def trusted(stored: str) -> SafeHtml:
    """Declare stored HTML that this module rendered safe for templates."""
    return SafeHtml(stored)


@lru_cache(maxsize=64)
def plain(html: str) -> str:
    """Return the text of rendered HTML, for excerpts and mails."""
    return " ".join(unescape(text_nodes.TAG.sub("", html)).split())


def _prose(source: str) -> Rendered | None:
    """Render a text without any markup, as most are; return None if it may have some."""
    if not _PROSE.fullmatch(source) or "_" in source or _may_link(source):
        return None
    return Rendered(_paragraphs(limited(source)), agreed=True)


def _may_link(text: str) -> bool:
    """Whether `_URL` can match anything in a text; much faster than the pattern."""
    return "//" in text or "www." in text.lower()


def _paragraphs(text: str) -> str:
    paragraphs = [one.replace("\n", "<br>\n") for one in re.split(r"\n\n+", text)]
    return "".join([f"<p>{one}</p>\n" for one in paragraphs])


def _bounded(source: str, html: str) -> Rendered:
    """Sanitise the HTML of a source; if it is too long, show the source as typed."""
    most = MOST_GROWTH * len(source)
    if len(html) <= most:
        rendered = _sanitise(html)
        if len(rendered.html) <= most:
            return rendered
    return _sanitise(_paragraphs(html_escape(source, quote=False)))


def _sanitise(html: str) -> Rendered:
    cleaned = _CLEANERS.own.clean(text_nodes.cut(html))
    final = _LAST.clean(cleaned)
    return Rendered(html=final, agreed=cleaned == final or _tokens(cleaned) == _tokens(final))


def _reference(match: re.Match[str]) -> str:
    """Normalise a numeric reference; drop one to a control character, because parsers differ on its meaning."""
    digits = (match[1] or match[2]).lstrip("0") or "0"
    number = int(digits, 16 if match[1] else 10) if len(digits) <= 7 else 0xFFFD
    return "" if (number < 0x20 and number not in {0x09, 0x0A}) or number == 0x7F else f"&#{number};"


def _bleach_attribute(tag: str, name: str, value: str) -> bool:
    return name in ATTRIBUTES.get(tag, ()) and _nh3_attribute(tag, name, value) is not None


def _nh3_attribute(tag: str, name: str, value: str) -> str | None:
    """Return the value of an attribute from the allow-list, or None to drop it."""
    if name == "class":
        return value if _CLASS.fullmatch(value) else None
    if name == "start":
        return value if re.fullmatch(r"\d{1,6}", value) else None
    if name == "href":
        return value if _is_address(value) else None
    return value


@lru_cache(maxsize=1024)
def _is_address(url: str) -> bool:
    """Whether a link may have this address; stricter than both sanitisers, so that they cannot disagree."""
    if _DECEIVING.search(url) or not (_is_mail(url) or _is_web(url)):
        return False
    # nh3 parses hosts by the same standard as browsers (WHATWG URL).
    return " href=" in _ADDRESSES.clean(f'<a href="{html_escape(url)}"></a>')


def _is_mail(url: str) -> bool:
    return url[:7].lower() == "mailto:" and re.fullmatch(r"[^\s\\<>]+", url[7:]) is not None


def _is_web(url: str) -> bool:
    if not _WEB.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        return parts.port != 0 and _HOST.fullmatch(host_names.in_ascii(parts.hostname or "")) is not None
    except ValueError:
        return False


def _link(attrs: _Attributes, _new: bool = False) -> _Attributes | None:
    """Give every link the same `rel` and `target`; return None for one without an allowed address."""
    if not _is_address(attrs.get((None, "href"), "")):
        return None
    # "_text", bleach's own key for the link's words, must stay.
    kept = {key: value for key, value in attrs.items() if key in {(None, "href"), "_text"}}
    return kept | {(None, "rel"): REL, (None, "target"): "_blank"}


class _Links(LinkifyFilter):
    """Makes links, but does not decode references again: bleach has done that, and "&amp;lt;" is not "<"."""

    def extract_entities(self, token: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield token

    def handle_a_tag(self, token_buffer: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Add the real destination to a link whose text is another address."""
        words = unescape(self.extract_character_data(token_buffer))
        address = token_buffer[0]["data"].get((None, "href"), "")
        if _is_address(address) and (place := link_words.real_place(words, address)):
            note = {"type": "Characters", "data": f" ({html_escape(place)})"}
            token_buffer = [*token_buffer[:-1], note, token_buffer[-1]]
        yield from super().handle_a_tag(token_buffer)

    def strip_non_url_bits(self, fragment: str) -> tuple[str, str, str]:
        """Return an address and the text before and after it, such as punctuation or an unmatched ")"."""
        url = fragment.lstrip("(")
        before, typed = fragment[: len(fragment) - len(url)], url
        too_many = url.count(")") - url.count("(")
        while url and (url[-1] in _SENTENCE or (url[-1] == ")" and too_many > 0)):
            too_many -= url[-1] == ")"
            url = url[:-1]
        return url, before, typed[len(url) :]

    def handle_links(self, src_iter: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for token in src_iter:
            if _may_link(token["data"]):
                yield from super().handle_links([token])
            else:
                yield token


class _Tokens(HTMLParser):
    """A document as a flat list, so that two serialisations of the same document are equal."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tokens: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tokens.append(("tag", f"{tag} {sorted(attrs, key=str)}"))

    def handle_endtag(self, tag: str) -> None:
        self.tokens.append(("end", tag))

    def handle_data(self, data: str) -> None:
        if self.tokens and self.tokens[-1][0] == "text":
            data = self.tokens.pop()[1] + data
        self.tokens.append(("text", data))

    def handle_comment(self, data: str) -> None:
        self.tokens.append(("comment", data))


def _tokens(html: str) -> list[tuple[str, str]]:
    parser = _Tokens()
    parser.feed(html)
    parser.close()
    return parser.tokens


_MARKDOWN = markdown.renderer(_is_address)


class _Cleaners(threading.local):
    """One cleaner per thread: bleach's parser keeps its state in the cleaner and would mix two texts."""

    def __init__(self) -> None:
        self.own = Cleaner(
            tags=TAGS,
            attributes=_bleach_attribute,
            protocols=PROTOCOLS,
            strip=True,
            strip_comments=True,
            filters=[
                partial(
                    _Links,
                    callbacks=[cast(Any, _link)],
                    url_re=_URL,
                    skip_tags={"pre", "code"},
                    parse_email=False,
                )
            ],
        )


_CLEANERS = _Cleaners()
_ADDRESSES = nh3.Cleaner(
    tags={"a"},
    attributes={"a": {"href"}},
    url_schemes=set(PROTOCOLS),
    url_relative="deny",
    link_rel=None,
)
"""nh3, used only to check one address."""
_LAST = nh3.Cleaner(
    tags=set(TAGS),
    attributes={tag: set(names) - {"rel"} for tag, names in ATTRIBUTES.items()},
    attribute_filter=_nh3_attribute,
    url_schemes=set(PROTOCOLS),
    url_relative="deny",
    link_rel=REL,
    clean_content_tags={"script", "style"},
)
