"""From a comment's source to HTML that is safe to show: Markdown or imported HTML, then bleach, then nh3.

The only importer of both sanitisers, and the only place that declares HTML safe. bleach gets no more releases, so
nh3, an independent parser that is maintained, has the last word on every text.
"""

from __future__ import annotations

import re
import threading
import unicodedata
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

from commentsvc.text import imported_html, link_words, markdown, text_nodes
from commentsvc.text.characters import DIRECTION_MARKS, OVERRIDES
from commentsvc.text.clusters import limited

VERSION = 3
"""Of the rendering; raise it with every change of output, then `commentsvc rerender` rebuilds what is stored."""

TAGS = frozenset(
    {"a", "blockquote", "br", "code", "del", "em", "li", "ol", "p", "pre", "span", "strong", "ul"}
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
"""How many times as long as its text a comment's HTML may be; only a text of nothing but short links gets there."""
# Only what is plainly meant as an address: "foo.py" is a file, not a site in Paraguay.
# Parentheses around it are taken along, for bleach to sort out which belong to it.
_URL = re.compile(
    r"""(?<![\w@./])\({0,3}(?:https?://|www\.(?=\w))"""
    r"""(?:[^\s<>"'`{}|\\^\[\]\u061c\u200e\u200f\u3001\u3002\u300d\u300f\u3011\uff01\uff09\uff0c\uff1a\uff1b\uff1f]"""
    r"""|\[[\w-]{0,30}\]){2,2000}(?<![!?:;\u2026\u201d\u2019\u00bb])""",
    re.IGNORECASE,
)
_SENTENCE = frozenset(".,!?:;\u2026\u201d\u2019\u00bb")
# A host by its name, or an IPv6 address; no user before it, and no port but digits after it.
_WEB = re.compile(
    r"https?://(?:[\w.~-]*\w\.?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:[/?#][^\s\\]*)?", re.IGNORECASE
)
# Lines of letters, digits, emoji and the marks of sentences, with single spaces, none of which begins as a list does.
# Nothing of it means anything in Markdown or in HTML; an underscore would, and "//" or "www." a link.
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
    """A comment's HTML, and whether both sanitisers agreed on it."""

    html: str
    agreed: bool


def render_markdown(source: str) -> Rendered:
    """Render what a visitor typed. Raw HTML in it shows as the text it is."""
    return _prose(source) or _bounded(source, _MARKDOWN(source))


def render_html(source: str) -> Rendered:
    """Render HTML as other systems exported it: line breaks count, unknown tags go, their text stays."""
    return _bounded(source, imported_html.rewrite(_REFERENCE.sub(_reference, source)))


def trusted(stored: str) -> SafeHtml:
    """Declare HTML that came out of this module, and was stored since, safe for templates."""
    return SafeHtml(stored)


@lru_cache(maxsize=64)
def plain(html: str) -> str:
    """Return the text of rendered HTML, for excerpts and mails."""
    return " ".join(unescape(text_nodes.TAG.sub("", html)).split())


def _prose(source: str) -> Rendered | None:
    """Render a text in which there is nothing to render or to sanitise, as most are; None where there may be."""
    if not _PROSE.fullmatch(source) or "_" in source or _may_link(source):
        return None
    return Rendered(_paragraphs(limited(source)), agreed=True)


def _may_link(text: str) -> bool:
    """Whether there can be anything in it that `_URL` finds; told in a fraction of the time."""
    return "//" in text or "www." in text.lower()


def _paragraphs(text: str) -> str:
    paragraphs = [one.replace("\n", "<br>\n") for one in re.split(r"\n\n+", text)]
    return "".join([f"<p>{one}</p>\n" for one in paragraphs])


def _bounded(source: str, html: str) -> Rendered:
    """Sanitise what was made of a text; where that is too long, the text shows as it was typed."""
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
    """Write a numeric reference in one way; one to a control character goes, for parsers differ on what it means."""
    digits = (match[1] or match[2]).lstrip("0") or "0"
    number = int(digits, 16 if match[1] else 10) if len(digits) <= 7 else 0xFFFD
    return "" if (number < 0x20 and number not in {0x09, 0x0A}) or number == 0x7F else f"&#{number};"


def _bleach_attribute(tag: str, name: str, value: str) -> bool:
    return name in ATTRIBUTES.get(tag, ()) and _nh3_attribute(tag, name, value) is not None


def _nh3_attribute(tag: str, name: str, value: str) -> str | None:
    """Judge one attribute that the lists let through: its value, or None to drop it."""
    if name == "class":
        return value if _CLASS.fullmatch(value) else None
    if name == "start":
        return value if re.fullmatch(r"\d{1,6}", value) else None
    if name == "href":
        return value if _is_address(value) else None
    return value


@lru_cache(maxsize=1024)
def _is_address(url: str) -> bool:
    """Whether a link may lead there; stricter than either sanitiser, so that they have nothing to differ on."""
    if _DECEIVING.search(url) or not (_is_mail(url) or _is_web(url)):
        return False
    # Which hosts a browser takes, nh3 knows: so says the standard that both read addresses by.
    return " href=" in _ADDRESSES.clean(f'<a href="{html_escape(url)}"></a>')


def _is_mail(url: str) -> bool:
    return url[:7].lower() == "mailto:" and re.fullmatch(r"[^\s\\<>]+", url[7:]) is not None


def _is_web(url: str) -> bool:
    if not _WEB.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        return parts.port != 0 and all(map(_is_label, (parts.hostname or "").split(".")))
    except ValueError:
        return False


def _is_label(label: str) -> bool:
    """Whether one part of a host can be a name: in punycode, only what would be written so."""
    if not label.startswith("xn--"):
        return True
    name = label[4:].encode("ascii").decode("punycode")
    return not name.isascii() and name.isprintable() and unicodedata.normalize("NFKC", name) == name


def _link(attrs: _Attributes, _new: bool = False) -> _Attributes | None:
    """Give every link the same manners; without an address it is no link."""
    if not _is_address(attrs.get((None, "href"), "")):
        return None
    # "_text", bleach's own key for the link's words, must stay.
    kept = {key: value for key, value in attrs.items() if key in {(None, "href"), "_text"}}
    return kept | {(None, "rel"): REL, (None, "target"): "_blank"}


class _Links(LinkifyFilter):
    """Makes links and leaves references alone: the filter before it has read them, and "&amp;lt;" is no "<"."""

    def extract_entities(self, token: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield token

    def handle_a_tag(self, token_buffer: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Let a link whose words are another address say where it leads."""
        words = unescape(self.extract_character_data(token_buffer))
        address = token_buffer[0]["data"].get((None, "href"), "")
        if _is_address(address) and (place := link_words.real_place(words, address)):
            note = {"type": "Characters", "data": f" ({html_escape(place)})"}
            token_buffer = [*token_buffer[:-1], note, token_buffer[-1]]
        yield from super().handle_a_tag(token_buffer)

    def strip_non_url_bits(self, fragment: str) -> tuple[str, str, str]:
        """Return an address, what is before it and what after: marks of the sentence, ")" that nothing opens."""
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
    """A document as a flat list, so that two serialisations of the same thing compare equal."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(("tag", f"{tag} {sorted(attrs, key=str)}"))

    def handle_endtag(self, tag: str) -> None:
        self.found.append(("end", tag))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] == "text":
            data = self.found.pop()[1] + data
        self.found.append(("text", data))

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", data))


def _tokens(html: str) -> list[tuple[str, str]]:
    parser = _Tokens()
    parser.feed(html)
    parser.close()
    return parser.found


_MARKDOWN = markdown.renderer(_is_address)


class _Cleaners(threading.local):
    """One for each thread: bleach parses into the cleaner itself, and would mix two texts cleaned at once."""

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
"""The last gate, asked for an address alone."""
_LAST = nh3.Cleaner(
    tags=set(TAGS),
    attributes={tag: set(names) - {"rel"} for tag, names in ATTRIBUTES.items()},
    attribute_filter=_nh3_attribute,
    url_schemes=set(PROTOCOLS),
    url_relative="deny",
    link_rel=REL,
    clean_content_tags={"script", "style"},
)
