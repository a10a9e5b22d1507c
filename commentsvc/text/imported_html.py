"""Rewrites HTML from other systems in the few tags that a comment has here. It does not sanitise: markup.py does.

Line ends count, as in WordPress: one is a line break, an empty line starts a paragraph. A text is read in one pass, in
time linear in its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape

from commentsvc.text.html_builder import HtmlBuilder

_INLINE = {
    **dict.fromkeys(("b", "strong", *(f"h{level}" for level in range(1, 7))), "strong"),
    **dict.fromkeys(("i", "em", "cite", "dfn", "caption"), "em"),
    **dict.fromkeys(("s", "strike", "del"), "del"),
}
_CODE = frozenset({"code", "kbd", "samp", "tt"})
_CODE_BLOCK = frozenset({"pre", "xmp", "listing"})
_BOXES = frozenset({"blockquote", "ul", "ol", "li"})
_BLOCK = re.compile(
    r"h[1-6]|hr|p|div|center|address|article|aside|section|header|footer|main|nav|details|summary|figure|figcaption"
    r"|fieldset|form|dl|table|caption"
)
_CELLS = frozenset({"tr", "td", "th", "dt", "dd"})
_PICTURES = frozenset({"img", "iframe", "embed", "audio", "video"})
_UNSEEN = frozenset({"script", "style"})
_SCRIPTS = {
    "sup": str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ"),
    "sub": str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"),
}
_CELL = " | "
_DEEPEST_CODE = 10

# Possessive quantifiers prevent backtracking on hostile texts. "<3" and "<me@home.example>" are not tags.
TAG = re.compile(
    r"<(/?)([a-z][a-z0-9-]*+(?::[a-z]++)?)(?=[\s/>])(?:((?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+)>|([^<>]*+)>)",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"(?<![\w-])([a-z]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>]++))", re.IGNORECASE
)
# A caption or gallery shortcode as WordPress writes it; a bare "[gallery]" is text.
_SHORTCODE = re.compile(r"\[(?:caption|gallery)\s++[a-z]++=[^\[\]<>]*+\]|\[/caption\]", re.IGNORECASE)


def rewrite(html: str) -> str:
    """Return `html` as well-formed paragraphs, quotes, lists, code and links; keeps only the text of other tags."""
    reader = _Reader()
    for slash, tag, rest in _pieces(_without_comments(html.replace("\r\n", "\n").replace("\r", "\n"))):
        if not tag:
            reader.text(unescape(rest))
        elif slash:
            reader.end(tag)
        else:
            reader.start(tag, rest)
    return reader.close()


def _without_comments(html: str) -> str:
    kept, position = [], 0
    while (start := html.find("<!--", position)) >= 0 and (end := html.find("-->", start + 4)) >= 0:
        kept.append(html[position:start])
        position = end + 3
    return _SHORTCODE.sub("", "".join(kept) + html[position:])


def _pieces(html: str) -> Iterator[tuple[str, str, str]]:
    """Yield (slash, tag, attributes) for each tag and ("", "", text) for the text between tags."""
    position = 0
    for match in TAG.finditer(html):
        if match.start() > position:
            yield "", "", html[position : match.start()]
        yield match[1], match[2].lower(), match[3] if match[3] is not None else match[4]
        position = match.end()
    if position < len(html):
        yield "", "", html[position:]


def _attributes(text: str) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(text):
        attributes.setdefault(name.lower(), unescape("".join(values)).strip())
    return attributes


def _address(url: str) -> str:
    """Return a web or mail address, or "". markup.py decides which are allowed."""
    url = f"https:{url}" if url.startswith("//") else url
    return url if re.match(r"(?:https?://|mailto:)[^\s\\]+\Z", url, re.IGNORECASE) else ""


class _Reader:
    """Translates tags and texts into calls of an HtmlBuilder."""

    def __init__(self) -> None:
        self._to = HtmlBuilder()
        self._inline: dict[str, int] = {}
        self._code: list[str] = []
        self._code_tags: list[str] = []
        self._unseen = self._script = ""
        self._tables = 0
        self._row_begun = self._bold_cell = False

    def close(self) -> str:
        if self._code_tags:
            self._finish_code(block=False)
        return self._to.close()

    def text(self, text: str) -> None:
        if self._unseen:
            return
        if self._code_tags:
            self._code.append(text)
            return
        table = _SCRIPTS.get(self._script, {})
        if table and all(ord(char) in table for char in text):
            text = text.translate(table)
        if self._tables:
            text = text.replace("\n", " ") if text.strip() or "\n" not in text else ""
        for number, line in enumerate(text.split("\n")):
            if number:
                self._to.newline()
            self._to.say(line)

    def start(self, tag: str, attributes: str) -> None:
        if self._unseen:
            return
        if self._code_tags:
            self._start_in_code(tag)
        elif tag in _UNSEEN:
            self._unseen = tag
        elif tag in _CODE or tag in _CODE_BLOCK:
            self._code_tags = [tag]
        elif tag in _BOXES:
            match = (
                re.fullmatch(r"\d{1,6}", _attributes(attributes).get("start", "")) if tag == "ol" else None
            )
            self._to.open_box(tag, f'<ol start="{match[0]}">' if match else "")
        elif tag == "a":
            address = _address(_attributes(attributes).get("href", ""))
            self._to.want("a", f'<a href="{escape(address)}">') if address else self._to.unwant("a")
        elif tag in _PICTURES:
            self._picture(_attributes(attributes))
        elif tag in _CELLS:
            self._start_cell(tag)
        else:
            self._start_other(tag)

    def end(self, tag: str) -> None:
        if self._unseen:
            self._unseen = "" if tag == self._unseen else self._unseen
        elif self._code_tags:
            self._end_in_code(tag)
        elif tag in _BOXES:
            self._to.close_box(tag)
        elif tag == "a":
            self._to.unwant("a")
        elif tag in _CELLS:
            self._end_cell(tag)
        else:
            self._end_other(tag)

    def _start_other(self, tag: str) -> None:
        if tag == "br":
            self._to.line_break()
        elif tag == "q":
            self._to.say("“")
        elif tag in _SCRIPTS:
            self._script = tag
        elif _BLOCK.fullmatch(tag):
            self._to.end_paragraph()
        self._tables += tag == "table"
        if tag in _INLINE:
            self._count(_INLINE[tag], 1)

    def _end_other(self, tag: str) -> None:
        if tag in _INLINE:
            self._count(_INLINE[tag], -1)
        if tag == "q":
            self._to.say("”")
        elif tag in _SCRIPTS:
            self._script = ""
        elif _BLOCK.fullmatch(tag):
            self._to.end_paragraph()
        self._tables = max(self._tables - (tag == "table"), 0)

    def _start_cell(self, tag: str) -> None:
        """Make a row a line, and a term with its definition a paragraph; end tags may be missing."""
        self._end_cell("")
        if tag == "dt":
            self._to.end_paragraph()
        elif tag in {"tr", "dd"}:
            self._to.drop_last(_CELL)
            self._to.line_break()
            self._row_begun = False
        else:
            if self._row_begun:
                self._to.say(_CELL)
            self._row_begun = True
        if tag in {"th", "dt"}:
            self._bold_cell = True
            self._count("strong", 1)

    def _end_cell(self, tag: str) -> None:
        if self._bold_cell:
            self._bold_cell = False
            self._count("strong", -1)
        if tag == "tr":
            self._to.drop_last(_CELL)
        elif tag == "dd":
            self._to.end_paragraph()

    def _count(self, tag: str, change: int) -> None:
        self._inline[tag] = max(self._inline.get(tag, 0) + change, 0)
        self._to.want(tag) if self._inline[tag] else self._to.unwant(tag)

    def _picture(self, attributes: dict[str, str]) -> None:
        """Make a picture a link: a remote picture would tell its server who reads here."""
        address = _address(attributes.get("src", ""))
        sentence = " ".join((attributes.get("alt") or attributes.get("title") or address).split())
        linked = not address or self._to.wants("a")
        if not linked:
            self._to.want("a", f'<a href="{escape(address)}">')
        self._to.say(sentence)
        if not linked:
            self._to.unwant("a")

    def _start_in_code(self, tag: str) -> None:
        if tag == "br":
            self._code.append("\n")
        elif (tag in _CODE or tag in _CODE_BLOCK) and len(self._code_tags) < _DEEPEST_CODE:
            self._code_tags.append(tag)

    def _end_in_code(self, tag: str) -> None:
        if tag not in self._code_tags:
            return
        block = not _CODE_BLOCK.isdisjoint(self._code_tags)
        while self._code_tags.pop() != tag:
            pass
        if not self._code_tags:
            self._finish_code(block=block)

    def _finish_code(self, *, block: bool) -> None:
        text = "".join(self._code)
        block = block or not _CODE_BLOCK.isdisjoint(self._code_tags)
        self._code, self._code_tags = [], []
        if block or "\n" in text.strip():
            self._to.code_block(text)
        else:
            self._to.code(text)
