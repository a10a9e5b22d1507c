"""A site's word lists, with the rules of WordPress: one word per line, also found inside other words.

`*` matches anything but spaces, `#` begins a comment. Plain words are found by substring search, words with `*` by
a pattern without backtracking: the time is the length of the text times the number of words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext
from commentsvc.text import numbers

MOST_WORDS = 2_000
LONGEST_WORD = 200
_REACH = 100
"""Characters that one `*` matches at most."""


@dataclass(frozen=True, slots=True)
class Match:
    """A listed word, and the field that contains it."""

    word: str
    field: str


@dataclass(frozen=True, slots=True)
class _Word:
    typed: str
    plain: str
    pattern: re.Pattern[str] | None
    """For a word with `*`."""

    def is_in(self, folded: str) -> bool:
        if self.pattern is None:
            return self.plain in folded
        return self.pattern.search(folded) is not None


def check(value: str, *, field: str) -> str:
    """Return a list as it is stored; raises InvalidFieldsError on `field`."""
    lines = [line.strip() for line in value.replace("\0", "").splitlines()]
    if len(lines) > MOST_WORDS:
        raise InvalidFieldsError(
            {field: gettext("Please use at most %(number)s lines") % {"number": numbers.number(MOST_WORDS)}}
        )
    long = next((line for line in lines if len(line) > LONGEST_WORD), None)
    if long is not None:
        raise InvalidFieldsError(
            {
                field: gettext("Please use at most %(most)s characters per line; “%(line)s…” has %(number)s")
                % {"most": LONGEST_WORD, "line": long[:30], "number": len(long)}
            }
        )
    return "\n".join(lines).strip("\n")


def find(words: str, fields: Mapping[str, str | None]) -> Match | None:
    """Return the first listed word in `fields` (by field name), or None."""
    compiled = _compiled(words)
    if not compiled:
        return None
    for name, value in fields.items():
        folded = fold(value or "")
        for word in compiled:
            if folded and word.is_in(folded):
                return Match(word.typed, name)
    return None


def fold(value: str) -> str:
    """Return a text in the normal form for comparisons."""
    return unicodedata.normalize("NFKC", value).casefold()


@lru_cache(maxsize=256)
def _compiled(words: str) -> tuple[_Word, ...]:
    typed = (line.strip() for line in words.splitlines())
    compiled = (_read(line) for line in typed if line and not line.startswith("#"))
    return tuple(word for word in compiled if word is not None)


def _read(line: str) -> _Word | None:
    pieces = [piece for piece in fold(line).split("*") if piece]
    if not pieces:  # only stars, which would match everything
        return None
    if len(pieces) == 1:
        return _Word(line, pieces[0], None)
    # Atomic groups: after the nearest match of a piece, no other is tried.
    later = "".join(rf"(?>\S{{0,{_REACH}}}?{re.escape(piece)})" for piece in pieces[1:])
    return _Word(line, "", re.compile(re.escape(pieces[0]) + later))
