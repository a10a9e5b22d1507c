"""Reads quotes and code that HTML tags begin and end in Markdown: from the beginning of a line to the closing tag."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from html import unescape

from markdown_it.rules_block import StateBlock
from markdown_it.utils import EnvType

_VALUE = r"""(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=`]+)"""
# What WordPress allows in comments, and themes add to links; only href has an effect.
ATTRIBUTE = rf"\s+(href|title|cite|datetime|rel|target)\s*=\s*({_VALUE})"
_BLOCK = re.compile(rf"<(pre|code|blockquote)(?:{ATTRIBUTE})*+\s*>", re.IGNORECASE)
_BLOCK_TAG = re.compile(
    rf"<(?:(?P<name>pre|code|blockquote)(?:{ATTRIBUTE})*+|(?P<closing>/blockquote))\s*>", re.IGNORECASE
)
_CODE_WITHIN = re.compile(r"\s*<code>(.*)</code>\s*", re.IGNORECASE | re.DOTALL)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class _Block:
    """Where a block stands in the source, between its tags and behind them."""

    name: str
    first: int
    """The line in which it begins."""
    last: int
    begin: int
    end: int
    rest: int


def read(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read code or a quote that begins a line and ends at its closing tag, in the same line or a later one."""
    if state.is_code_block(start):
        return False
    position = state.bMarks[start] + state.tShift[start]
    block = _block_at(state, start, end, position)
    if block is None or silent:
        return block is not None
    while block is not None:  # several may follow each other in a line
        _put(state, block)
        last, position = block.last, _after_spaces(state, block.last, block.rest)
        block = _block_at(state, last, end, position)
    state.line = last + 1
    if position < state.eMarks[last]:  # a paragraph, which may go on in the lines below
        marks = _Marks(state, last)
        marks.begin_at(position)
        state.md.block.tokenize(state, last, last + 1)
        marks.restore()
    return True


def _block_at(state: StateBlock, first: int, end: int, position: int) -> _Block | None:
    match = _BLOCK.match(state.src, position, state.eMarks[first])
    if match is None:
        return None
    close = _block_ends(state).get(position, -1)
    last = next((line for line in range(first, end) if close < state.eMarks[line]), None)
    if close < 0 or last is None:
        return None
    if any(state.sCount[line] < state.blkIndent for line in range(first, last + 1)):
        return None
    name, within = match[1].lower(), state.src[match.end() : close]
    if not within.strip() or (name == "code" and "\n" not in within):
        return None
    return _Block(name, first, last, match.end(), close, state.src.index(">", close) + 1)


def _after_spaces(state: StateBlock, line: int, position: int) -> int:
    text = state.src[position : state.eMarks[line]]
    return position + len(text) - len(text.lstrip(" \t"))


def _put(state: StateBlock, block: _Block) -> None:
    marks = [_Marks(state, line) for line in (block.first, block.last)]
    is_quote = block.name == "blockquote"
    marks[0].begin_at(_after_spaces(state, block.first, block.begin) if is_quote else block.begin)
    state.eMarks[block.last] = block.end
    (_quote if is_quote else _code_block)(state, block.first, block.last)
    for line in marks:
        line.restore()


class _Marks:
    """Where a line begins and ends, which is changed while a part of it is read."""

    def __init__(self, state: StateBlock, line: int) -> None:
        self._state, self._line = state, line
        self._stored = state.bMarks[line], state.eMarks[line], state.tShift[line], state.sCount[line]

    def begin_at(self, position: int) -> None:
        """Let the line begin there, and not be indented."""
        state, line = self._state, self._line
        state.bMarks[line], state.tShift[line], state.sCount[line] = position, 0, state.blkIndent

    def restore(self) -> None:
        state, line = self._state, self._line
        state.bMarks[line], state.eMarks[line], state.tShift[line], state.sCount[line] = self._stored


def _block_ends(state: StateBlock) -> dict[int, int]:
    """Return where each block that a tag begins has its closing tag; within code, tags mean nothing."""
    if "block_ends" not in state.env:
        ends: dict[int, int] = {}
        quotes: list[int] = []
        position = 0
        while match := _BLOCK_TAG.search(state.src, position):
            position = match.end()
            if match["closing"]:
                if quotes:
                    ends[quotes.pop()] = match.start()
            elif match["name"].lower() == "blockquote":
                quotes.append(match.start())
            elif (close := closing(state.src, match["name"].lower(), position, state.env)) >= 0:
                ends[match.start()] = position = close
        state.env["block_ends"] = ends
    result: dict[int, int] = state.env["block_ends"]
    return result


def _quote(state: StateBlock, start: int, last: int) -> None:
    state.push("blockquote_open", "blockquote", 1).map = [start, last + 1]
    end, state.lineMax = state.lineMax, last + 1
    state.md.block.tokenize(state, start, last + 1)
    state.lineMax = end
    state.push("blockquote_close", "blockquote", -1)


def _code_block(state: StateBlock, start: int, last: int) -> None:
    code = state.getLines(start, last + 1, state.blkIndent, False)
    within = _CODE_WITHIN.fullmatch(code)
    token = state.push("code_block", "code", 0)
    token.content = plain(within[1] if within else code).strip("\n").rstrip() + "\n"
    token.map = [start, last + 1]


def plain(code: str) -> str:
    """Return the code that somebody typed, with or without references, as in WordPress."""
    return _CONTROL.sub("", unescape(code))


def closing(source: str, name: str, start: int, env: EnvType) -> int:
    """Return where the next closing tag of this name begins, -1 if there is none."""
    known: dict[tuple[str, str], list[int]] = env.setdefault("closings", {})
    if (source, name) not in known:  # one search for all of them, however many are opened
        places = re.finditer(f"</{name}>", source, re.IGNORECASE)
        known[source, name] = [match.start() for match in places]
    after = bisect_left(known[source, name], start)
    return known[source, name][after] if after < len(known[source, name]) else -1
