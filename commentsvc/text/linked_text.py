"""Makes HTML of plain text in which links are given by bytes, as in posts of Bluesky. markup.py sanitises it later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from commentsvc.text.html_builder import HtmlBuilder

Link = tuple[int, int, str]
"""The first byte of a link in the text's UTF-8, the byte after its last, and its address."""


def linked_html(text: str, links: Iterable[Link], *, below: Iterable[tuple[str, str]] = ()) -> str:
    """Return `text` as paragraphs with `links`, and each of `below`, (words, address or ""), as a paragraph after it.

    `links` are in order; none is over another, and none begins or ends within a character.
    """
    builder = HtmlBuilder()
    for words, address in _pieces(text.encode(), links):
        _add(builder, words, address)
    for words, address in below:
        builder.end_paragraph()
        _add(builder, words, address)
    return builder.close()


def _pieces(data: bytes, links: Iterable[Link]) -> Iterator[tuple[str, str]]:
    """Yield the text in order, each piece with the address that it leads to, or ""."""
    index = 0
    for start, end, address in links:
        yield data[index:start].decode(), ""
        yield data[start:end].decode(), address
        index = end
    yield data[index:].decode(), ""


def _add(builder: HtmlBuilder, text: str, address: str) -> None:
    if address:
        builder.want("a", f'<a href="{escape(address)}">')
    for number, line in enumerate(text.splitlines() or [""]):
        if number:
            builder.newline()
        builder.say(line)
    if text.endswith(("\n", "\r")):
        builder.newline()
    builder.unwant("a")
