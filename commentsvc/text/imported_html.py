"""HTML as other systems kept it, rewritten in the few tags a comment here has. It cleans nothing: markup.py does.

Line ends count, as they do in WordPress: one is a break, an empty line begins a paragraph. A text is read in one
pass, whose time grows with its length alone.
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

# Possessive repeats: a text made to confuse costs no second look. "<3" and "<me@home.example>" are no tags.
_TAG = re.compile(
    r"<(/?)([a-z][a-z0-9-]*+(?::[a-z]++)?)(?=[\s/>])(?:((?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+)>|([^<>]*+)>)",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"(?<![\w-])([a-z]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>]++))", re.IGNORECASE
)
# A caption or a gallery as WordPress writes it into a text; a bare "[gallery]" is talk of one.
_SHORTCODE = re.compile(r"\[(?:caption|gallery)\s++[a-z]++=[^\[\]<>]*+\]|\[/caption\]", re.IGNORECASE)


def rewrite(html: str) -> str:
    """Return `html` as well-formed paragraphs, quotes, lists, code and links; other tags go, their text stays."""
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
    kept, at = [], 0
    while (start := html.find("<!--", at)) >= 0 and (end := html.find("-->", start + 4)) >= 0:
        kept.append(html[at:start])
        at = end + 3
    return _SHORTCODE.sub("", "".join(kept) + html[at:])


def _pieces(html: str) -> Iterator[tuple[str, str, str]]:
    """Yield (slash, tag, attributes) for a tag and ("", "", text) for what is between two."""
    at = 0
    for result in _TAG.finditer(html):
        if result.start() > at:
            yield "", "", html[at : result.start()]
        yield result[1], result[2].lower(), result[3] if result[3] is not None else result[4]
        at = result.end()
    if at < len(html):
        yield "", "", html[at:]


def _attributes(text: str) -> dict[str, str]:
    results: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(text):
        results.setdefault(name.lower(), unescape("".join(values)).strip())
    return results


def _address(url: str) -> str:
    """Return a web or mail address, or "". Which of them are good, markup.py judges."""
    url = f"https:{url}" if url.startswith("//") else url
    return url if re.match(r"(?:https?://|mailto:)[^\s\\]+\Z", url, re.IGNORECASE) else ""


class _Reader:
    """What each tag means for the paragraphs that are written."""

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

    def text(self, said: str) -> None:
        if self._unseen:
            return
        if self._code_tags:
            self._code.append(said)
            return
        table = _SCRIPTS.get(self._script, {})
        if table and all(ord(char) in table for char in said):
            said = said.translate(table)
        if self._tables:
            said = said.replace("\n", " ") if said.strip() or "\n" not in said else ""
        for number, line in enumerate(said.split("\n")):
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
        """A row becomes a line, a term and what is said of it a paragraph; their end tags may be missing."""
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
        """A remote picture would tell its server who reads here; it becomes a link."""
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
