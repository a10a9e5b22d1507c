"""How many lines a rendered comment takes on a page, roughly, so that a very long one is shown in part."""

from __future__ import annotations

import re

LONG = 60
"""Lines from which on a comment is long. It is folded to 30rem, a third of that: wider pages have longer lines."""
_LINE = 80
_TAG = re.compile(r"<[^>]*>")


def is_long(html: str) -> bool:
    """Whether a comment's sanitised HTML takes more than `LONG` lines of 80 characters."""
    if len(html) < _LINE * LONG // 4 and html.count("\n") + html.count("<br>") <= LONG:
        return False
    lines = str(html).replace("<br>\n", "\n").replace("<br>", "\n").split("\n")
    return sum(map(_rows, lines)) > LONG


def _rows(line: str) -> int:
    words = _TAG.sub("", line)
    if line and not words:  # tags alone take no room
        return 0
    return max(1, -(-len(words) // _LINE))
