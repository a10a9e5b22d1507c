"""Limits the size of grapheme clusters (what is drawn as one character) to what real words need.

Stacked marks cover the lines around a letter; joined letters and emoji form clusters that no browser breaks, which
widen a page. The length of the text as a whole is not limited here.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from commentsvc.text.characters import JOINER, OVERRIDES, PREPENDED, ZERO_WIDTH_SPACE, is_drawn

MOST_MARKS = 8
"""Marks per letter: the largest Tibetan stacks have eight, pointed and accented Hebrew six."""
MOST_ALIKE = 3
"""Marks of one canonical class, which stack; Vietnamese and Greek use two, phonetic notation three."""
_MOST_SAME = 2
_MOST_BY_CATEGORY = {"Mn": 5, "Mc": 4, "Me": 2}
_MOST_UNDRAWN = 8
MOST_JOINED = 8
"""Characters with a width per cluster: a family of four with skin tones has eight, a Sanskrit conjunct six."""

_VIRAMA = 9
_VOWEL_JAMO = (0x1160, 0x11A8, 0xD7B0, 0xD7C7, 0x16D63, 0x16D64, 0x16D67, 0x16D6B)
_LETTERS_SET_BEFORE = frozenset(
    map(
        chr,
        (
            0xD4E,
            0x111C2,
            0x111C3,
            0x113D1,
            0x1193F,
            0x11941,
            0x11A3A,
            *range(0x11A84, 0x11A8A),
            0x11D46,
            0x11F02,
        ),
    )
)
# Characters that neither join nor mark others; most texts have no other ones.
_SIMPLE = re.compile(
    "[\x00-\u00ac\u00ae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038e-\u03a1\u03a3-\u0482\u048a-\u052f"
    "\u05d0-\u05ea\u0620-\u064a\u1e00-\u1f15\u2010-\u2027\u2030-\u205f\u20a0-\u20bf\u2100-\u218b\u2190-\u2426"
    "\u2460-\u27ff\u2900-\u2b73\u2e80-\u2e99\u3000-\u3029\u3041-\u3096\u309b-\u30ff\u3105-\u312f\u3400-\ua48c"
    "\uac00-\ud7a3\uf900-\ufa6d\uff01-\uff9d\U0001f300-\U0001f3fa\U0001f400-\U0001f6d7\U0001f90c-\U0001f9ff"
    "\U00020000-\U0002a6df]*+"
)


def limited(text: str, *, between: str = ZERO_WIDTH_SPACE) -> str:
    """Return `text` with every cluster limited: without excess marks, and with `between` inserted in long clusters.

    If `between` is empty, the excess characters of a long cluster are removed instead, which suits names.
    """
    return text if _SIMPLE.fullmatch(text) else Clusters(between).cut(text)


class Clusters:
    """Limits the clusters of a text that comes in pieces, such as those between tags."""

    def __init__(self, between: str = ZERO_WIDTH_SPACE) -> None:
        self._between = between
        self._marks: dict[str | int, int] = {}
        self._number = self._undrawn = self._width = 0
        self._before = self._joined_by = ""

    def cut(self, piece: str) -> str:
        """Return the next piece of the text with its clusters limited."""
        kept: list[str] = []
        for char in piece:
            kind, group, most = _trait(char)
            if kind == "mark":
                if self._takes_mark(char, group, most):
                    kept.append(char)
            elif kind == "undrawn":
                self._undrawn += 1
                if self._undrawn <= _MOST_UNDRAWN:
                    kept.append(char)
                if char == JOINER:
                    self._joined_by = char
                elif char == ZERO_WIDTH_SPACE:
                    self._width, self._before, self._joined_by = 0, "", ""
            elif kind != "gone":
                kept += self._letter(char, kind)
        return "".join(kept)

    def _takes_mark(self, char: str, group: str | int, most: int) -> bool:
        if group == _VIRAMA:
            self._joined_by = "virama"
        marks = self._marks
        if self._number >= MOST_MARKS or marks.get(group, 0) >= most or marks.get(char, 0) >= _MOST_SAME:
            return False
        self._number += 1
        marks[group] = marks.get(group, 0) + 1
        marks[char] = marks.get(char, 0) + 1
        return True

    def _letter(self, char: str, kind: str) -> list[str]:
        """Add a character that has a width; return it, after a separator if the cluster is full."""
        joined = self._joins(kind)
        full = joined and self._width >= MOST_JOINED
        if full and not self._between:
            return []
        self._width = self._width + 1 if joined and not full else 1
        self._before, self._joined_by, self._undrawn = kind, "", 0
        if kind != "extending":
            self._marks, self._number = {}, 0
        return [self._between, char] if full else [char]

    def _joins(self, kind: str) -> bool:
        """Whether a character joins the cluster before it; if fonts or Unicode versions differ, it does."""
        before = self._before
        if not before:
            return False
        if kind in {"vowel", "final"}:
            return before in {"leading", "vowel", "final", "syllable"}
        if before == "leading" and kind in {"leading", "syllable"}:
            return True
        if kind in {"extending", "unknown"} or before == "prepended":
            return True
        return (self._joined_by == JOINER and kind == "sign") or (
            self._joined_by == "virama" and kind == "letter"
        )


@lru_cache(maxsize=4096)
def _trait(char: str) -> tuple[str, str | int, int]:
    """Return a character's kind and, for a mark, the group it counts in and the limit of the group."""
    category, number = unicodedata.category(char), ord(char)
    if char in OVERRIDES or 0xFFF9 <= number <= 0xFFFB:
        return "gone", "", 0
    if category[0] == "M":
        group = unicodedata.combining(char)
        if group:
            return "mark", group, MOST_ALIKE
        return "mark", category, MOST_MARKS if 0xF00 <= number <= 0xFFF else _MOST_BY_CATEGORY[category]
    return _kind(char, category, number), "", 0


def _kind(char: str, category: str, number: int) -> str:
    if any(first <= number < last for first, last in zip(_VOWEL_JAMO[::2], _VOWEL_JAMO[1::2], strict=True)):
        return "vowel"
    if 0x1100 <= number <= 0x115F or 0xA960 <= number <= 0xA97C:
        return "leading"
    if 0x11A8 <= number <= 0x11FF or 0xD7CB <= number <= 0xD7FB:
        return "final"
    if 0xAC00 <= number <= 0xD7A3:
        return "syllable"
    if 0x1F3FB <= number <= 0x1F3FF or number in {0xFF9E, 0xFF9F}:
        return "extending"
    if char in PREPENDED or char in _LETTERS_SET_BEFORE:
        return "prepended"
    if not is_drawn(char) and char not in {"\u2800", "\u3164", "\n", "\t"}:
        return "undrawn"
    if category == "Cn":
        return "unknown"
    return {"Lo": "letter", "So": "sign"}.get(category, "other")
