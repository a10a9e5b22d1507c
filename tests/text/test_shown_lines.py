"""Which comments are shown in part: those that are long on a page, whatever makes them long."""

from __future__ import annotations

import pytest

from commentsvc.text.markup import render_html, render_markdown
from commentsvc.text.shown_lines import is_long

LONG = {
    "prose": "word " * 1000,
    "paragraphs": "a\n\n" * 100,
    "lines": "a  \n" * 100,
    "list": "- a\n" * 100,
    "code": "```\n" + "a\n" * 100 + "```",
    "empty lines of code": "```\na\n" + "\n" * 200 + "b\n```",
    "one word": "a" * 6000,
}
SHORT = {
    "nothing": "",
    "a sentence": "Well said.",
    "a screen of prose": "word " * 300,
    "coloured code": "```python\n" + "if a == b: return {'c': [1, 2, 3]}\n" * 25 + "```",
    "quotes in quotes": "> " * 12 + "a",
    "links": "[a](https://good.example/" + "x" * 200 + ") " * 8,
}


@pytest.mark.parametrize("kind", LONG)
def test_what_takes_many_lines_is_long(kind: str) -> None:
    assert is_long(render_markdown(LONG[kind]).html)


@pytest.mark.parametrize("kind", SHORT)
def test_what_takes_few_lines_is_not(kind: str) -> None:
    assert not is_long(render_markdown(SHORT[kind]).html)


def test_the_lines_of_an_imported_comment_count() -> None:
    assert is_long(render_html("a<br>" * 100).html)
