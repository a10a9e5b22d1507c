"""A site's lists of words, read as WordPress reads its own: one a line, found inside other words too.

`*` stands for a run of anything but spaces, `#` begins a remark. Plain words are found by substring search, a word
with `*` by an expression that never goes back: the time is the length of the text times the number of words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from commentsvc.errors import InvalidFieldsError

MOST_WORDS = 2_000
LONGEST_WORD = 200
_REACH = 100
"""Characters that one `*` stands for at most."""


@dataclass(frozen=True, slots=True)
class Match:
    """A word of a list, and the field it stood in."""

    word: str
    field: str


@dataclass(frozen=True, slots=True)
class _Word:
    typed: str
    plain: str
    pattern: re.Pattern[str] | None
    """For a word with `*` in it."""

    def is_in(self, folded: str) -> bool:
        if self.pattern is None:
            return self.plain in folded
        return self.pattern.search(folded) is not None


def check(value: str, *, field: str) -> str:
    """Return a list as it is stored; raises InvalidFieldsError on `field`."""
    lines = [line.strip() for line in value.replace("\0", "").splitlines()]
    if len(lines) > MOST_WORDS:
        raise InvalidFieldsError({field: f"Please use at most {MOST_WORDS:,} lines"})
    long = next((line for line in lines if len(line) > LONGEST_WORD), None)
    if long is not None:
        raise InvalidFieldsError(
            {field: f"Please use at most {LONGEST_WORD} characters a line; “{long[:30]}…” has {len(long)}"}
        )
    return "\n".join(lines).strip("\n")


def find(words: str, fields: Mapping[str, str | None]) -> Match | None:
    """Return the first word of a list that stands in one of `fields`, by the field's name; or None."""
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
    """Return a text in the letter forms in which it is compared."""
    return unicodedata.normalize("NFKC", value).casefold()


@lru_cache(maxsize=256)
def _compiled(words: str) -> tuple[_Word, ...]:
    typed = (line.strip() for line in words.splitlines())
    result = (_read(line) for line in typed if line and not line.startswith("#"))
    return tuple(word for word in result if word is not None)


def _read(line: str) -> _Word | None:
    pieces = [piece for piece in fold(line).split("*") if piece]
    if not pieces:  # nothing but stars would find everything
        return None
    if len(pieces) == 1:
        return _Word(line, pieces[0], None)
    # Atomic groups: once the nearest next piece is found, no other is tried.
    later = "".join(rf"(?>\S{{0,{_REACH}}}?{re.escape(piece)})" for piece in pieces[1:])
    return _Word(line, "", re.compile(re.escape(pieces[0]) + later))
