"""Changes HTML from other systems before it is stored: completes its relative links, and draws old smilies as emoji.

What stays the same keeps every character: the result is stored as the comment's source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from urllib.parse import urljoin

from commentsvc.text.imported_html import TAG

_LINK = re.compile(
    r"((?<![\w-])(?:href|src)\s*+=\s*+)(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>]++))", re.IGNORECASE
)
_RELATIVE = re.compile(r"[/#?](?!/)|\.\.?/|[\w-]+(?:\.(?:html?|php))?(?:[/?#]|\Z)", re.IGNORECASE)
_LINKING = frozenset({"a", "img"})
_VERBATIM = frozenset({"code", "kbd", "pre", "samp", "script", "style", "textarea", "tt"})
# WordPress's own list, in which a smiley stands alone between spaces, line ends or tags.
_SMILIES = {
    name: emoji
    for emoji, names in {
        "🙂": ":) :-) :smile:",
        "😀": ":D :-D :grin:",
        "😉": ";) ;-) :wink:",
        "🙁": ":( :-( :sad:",
        "😮": ":o :-o :eek: 8O 8-O",
        "😕": ":? :-? :???:",
        "😎": "8) 8-) :cool:",
        "😛": ":P :-P :razz:",
        "😡": ":x :-x :mad:",
        "😐": ":| :-| :neutral:",
        "😆": ":lol:",
        "😳": ":oops:",
        "😥": ":cry:",
        "😈": ":twisted:",
        "👿": ":evil:",
        "🙄": ":roll:",
        "❗": ":!:",
        "❓": ":?:",
        "💡": ":idea:",
        "➡": ":arrow:",
        "😁": ":mrgreen:",
    }.items()
    for name in names.split()
}
_SMILEY = re.compile(
    rf"(?<!\S)(?:{'|'.join(re.escape(name) for name in sorted(_SMILIES, key=len, reverse=True))})(?!\S)"
)


def with_full_links(html: str, base: str) -> str:
    """Return `html` with its relative links completed by `base`, the URL of the page on which it stood."""

    def completed(match: re.Match[str]) -> str:
        address = unescape(next(value for value in match.groups()[1:] if value is not None)).strip()
        if not _RELATIVE.match(address):
            return match[0]
        try:
            return f'{match[1]}"{escape(urljoin(base, address))}"'
        except ValueError:
            return match[0]

    parts = (
        _LINK.sub(completed, part) if tag in _LINKING and not part.startswith("</") else part
        for tag, part in _parts(html)
    )
    return "".join(parts)


def with_emoji(html: str) -> str:
    """Return `html` with an emoji for each smiley that WordPress draws, except in code."""
    parts: list[str] = []
    verbatim = 0
    for tag, part in _parts(html):
        if tag in _VERBATIM:
            verbatim = max(verbatim + (-1 if part.startswith("</") else 1), 0)
        parts.append(part if tag or verbatim else _SMILEY.sub(lambda match: _SMILIES[match[0]], part))
    return "".join(parts)


def _parts(html: str) -> Iterator[tuple[str, str]]:
    """Yield (tag's name, tag) for each tag and ("", text) for the text between tags; together they are `html`."""
    position = 0
    for match in TAG.finditer(html):
        yield "", html[position : match.start()]
        yield match[2].lower(), match[0]
        position = match.end()
    yield "", html[position:]
