"""Reads the HTML tags that people type in Markdown; any other tag, and one without its other half, is shown as typed.

Formatting tags may cross each other and paragraphs, as in browsers, but not what Markdown itself encloses. The rules
are those of markdown-it: they make its tokens, so that no HTML is passed through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from commentsvc.text import typed_blocks

_MOST_OPEN = 10
"""Tags open at the same time; more are shown as typed."""
_ATTRIBUTES = re.compile(typed_blocks.ATTRIBUTE, re.IGNORECASE)
_TAG = re.compile(rf"<(/?)(b|i|em|strong|del|q|a)((?:{typed_blocks.ATTRIBUTE})*+)\s*>", re.IGNORECASE)
_CODE = re.compile(r"<(code|pre)>", re.IGNORECASE)


def install(parser: MarkdownIt, is_address: Callable[[str], bool], deepest: int) -> None:
    """Add the rules to a parser; `is_address` decides which addresses a link may have."""

    def block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        return state.level < deepest and typed_blocks.read(state, start, end, silent)

    def tag(state: StateInline, silent: bool) -> bool:
        return _code(state, silent) or _tag(state, silent, is_address)

    parser.block.ruler.before("paragraph", "typed_block", block, {"alt": ["paragraph", "blockquote", "list"]})
    parser.inline.ruler.before("autolink", "typed_tag", tag)
    parser.core.ruler.after("inline", "typed_tags", _place_tags)


def _tag(state: StateInline, silent: bool, is_address: Callable[[str], bool]) -> bool:
    match = _TAG.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    closes, name, attributes = bool(match[1]), match[2].lower(), _values(match[3])
    if (closes and match[3]) or (name == "a" and not closes and not is_address(attributes.get("href", ""))):
        return False
    if not silent:
        token = state.push("typed_tag", name, 0)
        token.content, token.info = match[0], "close" if closes else "open"
        if name == "a" and not closes:
            for key in attributes.keys() & {"href", "title"}:
                token.attrSet(key, attributes[key])
    state.pos = match.end()
    return True


def _values(attributes: str) -> dict[str, str]:
    return {name.lower(): unescape(value.strip("\"'")) for name, value in _ATTRIBUTES.findall(attributes)}


def _code(state: StateInline, silent: bool) -> bool:
    match = _CODE.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    start, end = match.end(), typed_blocks.closing(state.src, match[1].lower(), match.end(), state.env)
    if not start < end < state.posMax or not state.src[start:end].strip():
        return False
    if not silent:
        token = state.push("code_inline", "code", 0)
        token.content = typed_blocks.plain(state.src[start:end]).replace("\n", " ")
    state.pos = end + len(match[1]) + 3
    return True


def _place_tags(state: StateCore) -> None:
    """Turn tags that have both halves into tokens that nest, and all others into text."""
    closings = _Pairs().read(state.tokens)
    active: dict[int, Token] = {}
    for token in state.tokens:
        if token.children and (active or any(child.type == "typed_tag" for child in token.children)):
            token.children = list(_nested(token.children, closings, active))


class _Pairs:
    """Finds the two halves of tags: in the same Markdown, but not necessarily in the same paragraph."""

    def __init__(self) -> None:
        self._enclosing: list[dict[int, Token]] = [{}]
        """The open tags by their `id()`, for each block and each inline element that encloses the place."""
        self._links = self._within_links = self._contents = 0
        self._before: dict[int, tuple[int, int]] = {}
        """How many links and contents were read before an opening tag."""
        self._openings: dict[int, Token | None] = {}

    def read(self, tokens: list[Token]) -> dict[int, Token | None]:
        """Return for the `id()` of a closing tag the opening one, and for that of an opening tag None."""
        for token in tokens:
            if token.type == "inline":
                for child in token.children or ():
                    self._read(child)
                here = self._enclosing[-1].items()
                self._enclosing[-1] = {number: one for number, one in here if one.tag != "a"}
            elif not token.type.startswith("paragraph"):
                self._enclose(token)
        return self._openings

    def _enclose(self, token: Token) -> None:
        if token.nesting > 0:
            self._enclosing.append({})
        elif token.nesting < 0:
            self._enclosing.pop()

    def _read(self, token: Token) -> None:
        if token.type == "typed_tag":
            self._close(token) if token.info == "close" else self._open(token)
            return
        self._enclose(token)
        self._contents += token.nesting == 0 and not token.content.isspace()
        if token.tag == "a":
            self._within_links += token.nesting
            self._links += 1
        elif token.type == "image":
            self._links += 1

    def _open(self, token: Token) -> None:
        if sum(map(len, self._enclosing)) < _MOST_OPEN and not (token.tag == "a" and self._within_links):
            self._enclosing[-1][id(token)] = token
            self._before[id(token)] = self._links, self._contents

    def _close(self, token: Token) -> None:
        opened = self._enclosing[-1]
        opening = next((one for one in reversed(opened.values()) if one.tag == token.tag), None)
        if opening is None:
            return
        del opened[id(opening)]
        links, contents = self._before[id(opening)]
        if contents == self._contents or (
            token.tag == "a" and links != self._links
        ):  # no link contains another
            return
        self._links += token.tag == "a"
        self._openings |= {id(opening): None, id(token): opening}


def _nested(
    tokens: list[Token], openings: dict[int, Token | None], active: dict[int, Token]
) -> Iterator[Token]:
    """Yield the tokens of a paragraph in which tags nest; `active` are those open before, and afterwards."""
    stack: list[Token] = []
    for token in tokens:
        if token.type == "typed_tag" and id(token) in openings:
            opening = openings[id(token)]
            if opening is None:
                active[id(token)] = token
            else:
                del active[id(opening)]
            continue
        if token.type == "typed_tag":
            token = Token("text", "", 0, content=token.content)
        if token.nesting < 0:
            while stack[-1].type == "typed_tag":
                yield _half(stack.pop(), -1)
            stack.pop()
        else:
            yield from _agree(stack, active)
        if token.nesting > 0:
            stack.append(token)
        yield token
    while stack:
        yield _half(stack.pop(), -1)


def _agree(stack: list[Token], active: dict[int, Token]) -> Iterator[Token]:
    """Close what is no longer active, with all that was opened within it, and open what is active and not open."""
    ended = [place for place, one in enumerate(stack) if one.type == "typed_tag" and id(one) not in active]
    for _ in range(min(ended, default=len(stack)), len(stack)):
        yield _half(stack.pop(), -1)
    still_open = set(map(id, stack))
    for number, tag in active.items():
        if number not in still_open:
            stack.append(tag)
            yield _half(tag, 1)


def _half(tag: Token, nesting: Literal[1, -1]) -> Token:
    kind = "link" if tag.tag == "a" else tag.tag
    attributes = dict(tag.attrs) if nesting > 0 else {}
    return Token(f"{kind}_{'open' if nesting > 0 else 'close'}", tag.tag, nesting, attrs=attributes)
