"""Renders Markdown for comments as unsanitised HTML; only this module and its typed tags import markdown-it.

Whatever has no meaning is shown as typed: a link that leads nowhere, a list whose numbers do not count up, an unknown
language of code. Every letter and digit of the source appears in the text or in the address of a link, except for HTML
tags that work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, list_block
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType

from commentsvc.text import characters, typed_tags
from commentsvc.text.highlight import LANGUAGES, highlight

_DEEPEST = 20
"""Depth of nested quotes and lists, a list counting twice; deeper marks are shown as text."""
_HIGHEST = 999
"""Highest first number of a list; a higher one is a year or a date, and has no room in the margin."""
# In addition: languages that only a script could draw, and words for no language.
_NAMED = LANGUAGES | {"text", "txt", "plain", "plaintext", "none", "console", "output", "math", "mermaid"}
_SEPARATOR = re.compile(r"(?:[*+_-][ \t]*){2,}")
_RULE = re.compile(r"([*_-])(?:[ \t]*\1){2,}[ \t]*")
_BULLETS = re.compile(r"[*+-][ \t]+[*+-](?:[ \t]|$)")
_CONTAINERS = frozenset({"bullet_list_open", "ordered_list_open", "blockquote_open"})


class _Parser(MarkdownIt):
    """A parser that keeps addresses as typed and accepts only those that the sanitisers allow."""

    is_address: Callable[[str], bool]

    def validateLink(self, url: str) -> bool:  # noqa: N802
        return self.is_address(url)

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return url.replace(" ", "%20")

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link


def renderer(is_address: Callable[[str], bool]) -> Callable[[str], str]:
    """Return a function that renders Markdown; `is_address` decides which addresses a link may have."""
    parser = _Parser(
        "commonmark",
        {"html": False, "breaks": True, "maxNesting": 100, "highlight": lambda code, lang, _: highlight(code, lang)},
    )  # fmt: skip
    parser.is_address = is_address
    parser.enable("strikethrough")
    # A comment has no headings, and the text of a link definition would not be shown.
    parser.disable(["heading", "lheading", "hr", "html_block", "html_inline", "reference"])
    block = parser.block.ruler
    block.before("list", "separator", _separator, {"alt": ["list", "blockquote"]})
    block.at("list", _list, {"alt": ["paragraph", "reference", "blockquote"]})
    block.at("blockquote", _quote, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.core.ruler.after("block", "as_typed", _show_blocks_as_typed)
    parser.core.ruler.after("inline", "links", _show_all_of_links)
    typed_tags.install(parser, is_address, _DEEPEST)
    parser.add_render_rule("s_open", lambda *_: "<del>")
    parser.add_render_rule("s_close", lambda *_: "</del>")

    def render(source: str) -> str:
        env: EnvType = {}
        return str(parser.render(source, env))

    return render


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _separator(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """Show a line of stars or dashes as typed: comments have no rules, and it must not become nested bullets."""
    line = _line(state, start)
    if state.is_code_block(start) or not (_RULE if silent else _SEPARATOR).fullmatch(line):
        return False
    if not silent:
        state.line = start + 1
        state.tokens += _paragraph(line, state.level, [start, start + 1])
    return True


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.level >= _DEEPEST or _BULLETS.match(_line(state, start)):
        return False
    return list_block(state, start, end, silent)


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return state.level < _DEEPEST and blockquote(state, start, end, silent)


def _paragraph(content: str, level: int, lines: list[int] | None = None) -> list[Token]:
    opening = Token("paragraph_open", "p", 1, map=lines, level=level, block=True)
    inline = Token("inline", "", 0, content=content, map=lines, level=level + 1, block=True, children=[])
    return [opening, inline, Token("paragraph_close", "p", -1, level=level, block=True)]


def _show_blocks_as_typed(state: StateCore) -> None:
    tokens = list(_without_empty(state.tokens, state.src.split("\n")))
    for token in tokens:
        if token.type == "fence" and token.info.strip().lower() not in _NAMED:
            token.content = f"{token.info.strip()}\n{token.content}" if token.info.strip() else token.content
            token.info = ""
    state.tokens = list(_with_numbers(tokens, _miscounted(tokens)))


def _without_empty(tokens: Sequence[Token], lines: list[str]) -> Iterator[Token]:
    """Show empty quotes and lists as typed: ">", "42."."""
    waiting: list[Token] = []
    for token in tokens:
        if not waiting and token.level == 0 and token.type in _CONTAINERS:
            waiting = [token]
        elif not waiting:
            yield token
        elif token.level == 0 and token.nesting < 0:
            waiting.append(token)
            if any(one.content.strip() for one in waiting):
                yield from waiting
            else:
                first, last = waiting[0].map or (0, 0)
                typed = "\n".join(line.strip() for line in lines[first:last]).strip()
                yield from _paragraph(typed, 0, [first, last])
            waiting = []
        else:
            waiting.append(token)
    yield from waiting


def _miscounted(tokens: Sequence[Token]) -> set[int]:
    """Return the `id()` of the tokens that open and close lists, and their items, whose numbers do not count up."""
    miscounted: set[int] = set()
    lists: list[list[Token]] = []
    for token in tokens:
        if token.type in {"bullet_list_open", "ordered_list_open"}:
            lists.append([token])
        elif token.type in {"list_item_open", "list_item_close"}:
            lists[-1].append(token)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            parts = [*lists.pop(), token]
            if token.type == "ordered_list_close" and not _counts(parts):
                miscounted.update(map(id, parts))
    return miscounted


def _counts(parts: Sequence[Token]) -> bool:
    """Whether the typed numbers are those that a browser will show."""
    numbers = [part.info for part in parts if part.type == "list_item_open"]
    first = int(numbers[0])
    return first <= _HIGHEST and numbers == [str(first + place) for place in range(len(numbers))]


def _with_numbers(tokens: Sequence[Token], miscounted: set[int]) -> Iterator[Token]:
    """Turn the items of miscounted lists into paragraphs that begin with the typed numbers."""
    number = ""
    around: list[bool] = []  # for each enclosing block, whether it belongs to such a list
    for token in tokens:
        is_dropped = id(token) in miscounted
        if token.type == "list_item_open" and is_dropped:
            number = f"{token.info}{token.markup}"
        elif number and token.type == "inline":
            token.content, number = f"{number} {token.content}", ""
        elif number and token.type != "paragraph_open":
            yield from _paragraph(number, token.level)
            number = ""
        if token.type.startswith("paragraph") and around and around[-1]:
            token.hidden = False
        if token.nesting and not token.type.startswith("paragraph"):
            around.append(is_dropped) if token.nesting > 0 else around.pop()
        if not is_dropped:
            yield token


def _show_all_of_links(state: StateCore) -> None:
    for token in state.tokens:
        if token.children and any(child.type in {"link_open", "image"} for child in token.children):
            token.children = list(_whole_links(token.children))


def _whole_links(tokens: Sequence[Token]) -> Iterator[Token]:
    """Turn pictures into links, and show a link's title, and its address if it has no visible text."""
    href = title = ""
    within, seen = False, True
    for token in tokens:
        if token.type == "link_open":
            href, title = str(token.attrs["href"]), str(token.attrs.pop("title", ""))
            within, seen = True, not href
            yield token if href else _text("[")
        elif token.type == "link_close":
            if not seen:
                yield _text(href)
            yield token if href else _text("]()")
            yield from _title(title)
            within = False
        elif token.type == "image":
            seen = True
            yield from _picture(token, within=within)
        else:
            seen = seen or characters.is_seen(token.content)
            yield token


def _picture(image: Token, *, within: bool) -> Iterator[Token]:
    """Turn a picture into a link, or into text within a link: a remote picture would tell its server who reads here."""
    address, title = str(image.attrs["src"]), str(image.attrs.get("title", ""))
    if within or not address:
        yield _text(f"![{image.content}]({address})")
    else:
        yield Token("link_open", "a", 1, attrs={"href": address})
        yield _text(image.content if characters.is_seen(image.content) else address)
        yield Token("link_close", "a", -1)
    yield from _title(title)


def _title(title: str) -> Iterator[Token]:
    if title:
        yield _text(f' "{title}"')


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
