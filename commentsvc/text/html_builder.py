"""Builds a comment's HTML from pieces; the result is well-formed whatever their order."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

DEEPEST = 20
"""Depth of nested quotes and lists; deeper ones stay at this depth."""
# Line ends after breaks and blocks keep words apart when the tags are removed, as in an excerpt.
_BREAK = "<br>\n"
_LISTS = frozenset({"ul", "ol"})


@dataclass
class _Box:
    tag: str
    filled: bool = False


class HtmlBuilder:
    """The HTML so far: finished paragraphs, the current one, and the open boxes (quotes, lists, items) around it.

    An inline tag opens only when text follows, so that none is empty and none crosses the end of its paragraph.
    """

    def __init__(self) -> None:
        self._done: list[str] = []
        self._boxes: list[_Box] = []
        self._too_deep = 0
        self._line: list[str] = []
        self._newlines = self._breaks = 0
        self._wanted: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []

    def want(self, tag: str, opening: str = "") -> None:
        """Put the following text in `tag`; `opening` is its start tag if that has attributes."""
        if tag not in self._wanted or opening:
            self._wanted.pop(tag, None)
            self._wanted[tag] = opening or f"<{tag}>"

    def unwant(self, tag: str) -> None:
        """No longer put the following text in `tag`."""
        self._wanted.pop(tag, None)

    def wants(self, tag: str) -> bool:
        """Whether the following text will be in `tag`."""
        return tag in self._wanted

    def say(self, text: str) -> None:
        """Add text on one line."""
        if text.isspace():
            if self._line and not self._newlines and not self._breaks:
                self._close_inline(self._agreeing())
                self._line.append(" ")
        elif text:
            self._add(escape(text, quote=False))

    def code(self, text: str) -> None:
        """Add a few words of code."""
        if text.strip():
            self._add(f"<code>{escape(text, quote=False)}</code>")

    def code_block(self, text: str) -> None:
        """Add lines of code unchanged."""
        self.end_paragraph()
        if text.strip():
            # HTML parsers drop a line end directly after <pre>; <code> in between prevents that.
            self._emit(
                f"<pre><code>{escape(text.strip(chr(10)).rstrip(), quote=False)}\n</code></pre>\n", block=True
            )

    def newline(self) -> None:
        """Record the end of a source line: one is a line break, two end the paragraph."""
        self._newlines += 1

    def line_break(self) -> None:
        """Record an explicit line break; together with a line end it is one break."""
        self._breaks += 1

    def drop_last(self, text: str) -> None:
        """Remove `text` and white space from the end of the paragraph, repeatedly."""
        while self._line and (self._line[-1] == text or self._line[-1].isspace()):
            self._line.pop()

    def end_paragraph(self) -> None:
        """Finish the paragraph and its link: repeating the address in the next paragraph could outweigh the text."""
        self._newlines = self._breaks = 0
        if any(tag == "a" for tag, _ in self._open):
            self.unwant("a")
        self._close_inline(0)
        content = "".join(self._line).strip()
        self._line = []
        if content:
            self._emit(content)

    def open_box(self, tag: str, opening: str = "") -> None:
        """Begin a quote, a list or an item; an item outside a list becomes a paragraph with a bullet."""
        self.end_paragraph()
        if tag == "li":
            if not self._in_list():
                self.say("• ")
                return
            while self._boxes[-1].tag not in _LISTS:
                self._pop_box()
        if len(self._boxes) >= DEEPEST:
            self._too_deep += 1
            return
        self._push_box(tag, opening)

    def close_box(self, tag: str) -> None:
        """End the innermost box of this tag and everything in it; an item only within the current list."""
        self.end_paragraph()
        if self._too_deep:
            self._too_deep -= 1
            return
        for box in reversed(self._boxes):
            if box.tag == tag:
                break
            if tag == "li" and box.tag in _LISTS:
                return
        else:
            return
        while self._pop_box() != tag:
            pass

    def close(self) -> str:
        """Close every tag and return the HTML."""
        self.end_paragraph()
        while self._boxes:
            self._pop_box()
        return "".join(self._done)

    def _add(self, html: str) -> None:
        broken = max(self._newlines, self._breaks)
        if self._line and broken > 1:
            self.end_paragraph()
        self._newlines = self._breaks = 0
        same = self._agreeing()
        self._close_inline(same)
        if self._line and broken:
            self._line.append(_BREAK)
        if not self._line or self._line[-1] == _BREAK:
            html = html.lstrip()
        wanted = list(self._wanted.items())[same:]
        self._line += [*(opening for _, opening in wanted), html]
        self._open += wanted

    def _agreeing(self) -> int:
        """Return how many of the open tags can stay open: those that are still wanted, in the same order."""
        same = 0
        for have, want in zip(self._open, self._wanted.items(), strict=False):
            if have != want:
                break
            same += 1
        return same

    def _close_inline(self, keep: int) -> None:
        while len(self._open) > keep:
            self._line.append(f"</{self._open.pop()[0]}>")

    def _emit(self, content: str, *, block: bool = False) -> None:
        if self._boxes and self._boxes[-1].tag in _LISTS:
            self._push_box("li")
        box = self._boxes[-1] if self._boxes else None
        # The first paragraph of an item has no <p>, like the items of a tight list in Markdown.
        bare = block or (box is not None and box.tag == "li" and not box.filled)
        self._done.append(content if bare else f"<p>{content}</p>\n")
        if box is not None:
            box.filled = True

    def _in_list(self) -> bool:
        return any(box.tag in _LISTS for box in self._boxes)

    def _push_box(self, tag: str, opening: str = "") -> None:
        self._done.append(("\n" if self._boxes and tag != "li" else "") + (opening or f"<{tag}>"))
        self._boxes.append(_Box(tag))

    def _pop_box(self) -> str:
        tag = self._boxes.pop().tag
        self._done.append(f"</{tag}>\n")
        return tag
