"""Cuts texts into the words by which they are found; rows and queries go through the same function.

The database's own rules would find nothing in scripts without spaces, and SQLite and PostgreSQL differ on accents. So
case, accents and letter forms are folded here, and scripts without spaces are cut into overlapping pairs of letters.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

MOST = 50_000
"""Characters of a text that are searched."""
_WORD_LONGEST = 100
_NON_JOINER = "\u200c"
# Thai, Lao, Myanmar, Khmer, Tai Le, New Tai Lue, Tai Tham, Balinese, Javanese, Tai Viet, kana, Bopomofo, Han.
_UNSPACED = (
    "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f\ua980-\ua9ff\uaa60-\uaadf"
    "\u3005-\u3007\u3021-\u302f\u3031-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
    "\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
# Both engines cut words at marks, so that a word of Hindi would be a handful of letters. A mark is written as a letter
# of Yi, which both take for one; the marks of one script stay different from each other.
_FIRST_LETTER, _LETTERS = 0xA000, 1024
_MARK_LETTERS = f"{chr(_FIRST_LETTER)}-{chr(_FIRST_LETTER + _LETTERS - 1)}"
_PLAIN_WORD = re.compile(r"[^\W_]+")
_LETTER = re.compile(f"[{_UNSPACED}][{_MARK_LETTERS}]*")
_RUN = re.compile(rf"(?P<unspaced>(?:[{_UNSPACED}][{_MARK_LETTERS}]*)+)|[^\W_{_UNSPACED}]+")


class _Unaccented(dict[int, str | int | None]):
    """A table for `str.translate` that drops accents, vowel points and invisible characters."""

    def __missing__(self, code: int) -> str | int | None:
        char = chr(code)
        self[code] = result = None if _is_accent(char) else code
        return result


class _WithoutMarks(dict[int, int]):
    """A table for `str.translate` that replaces marks, which are part of a word, by letters."""

    def __missing__(self, code: int) -> int:
        is_mark = unicodedata.category(chr(code))[0] == "M"
        self[code] = result = _FIRST_LETTER + code % _LETTERS if is_mark else code
        return result


def _is_accent(char: str) -> bool:
    """Whether words are the same without it. Vowel signs of Indic scripts, viramas and tone marks of Thai are not."""
    if unicodedata.category(char) == "Cf" or 0xFE00 <= ord(char) <= 0xFE0F or 0xE0100 <= ord(char) <= 0xE01EF:
        return True
    order = unicodedata.combining(char)
    return order == 1 or 10 <= order <= 36 or order >= 200


# Persian is written with a non-joiner or a space at the same place. A dotless i is the capital's other small letter,
# and the bar of Arabic only makes words longer.
_UNACCENTED = _Unaccented({ord(_NON_JOINER): " ", 0x131: "i", 0x640: None, 0x34F: None})
_WITHOUT_MARKS = _WithoutMarks()


def search_text(*parts: str | None) -> str:
    """Return the words of some texts with single spaces, as they are stored beside a row."""
    return " ".join(word for part in parts if part for word in words(part))


def words(text: str) -> list[str]:
    """Return the words under which a text is found, in its order."""
    results: list[str] = []
    for letters in _runs(text):
        results += _pairs(letters)
        results.append(letters[-1])
    return results


def sought(text: str) -> list[str]:
    """Return the words to search for: those of `words` without the single letter that marks the text's end."""
    results: list[str] = []
    runs = _runs(text)
    for letters in runs:
        results += _pairs(letters)
        if letters is not runs[-1] or len(letters) == 1:
            results.append(letters[-1])
    return results


def is_letter(word: str) -> bool:
    """Whether a word is one letter of a script without spaces, which begins pairs."""
    return _LETTER.fullmatch(word) is not None


def _pairs(letters: list[str]) -> list[str]:
    return [one + other for one, other in pairwise(letters)]


def _runs(text: str) -> list[list[str]]:
    """Return what stands between spaces, signs and changes of script: letters to be paired, or one whole word."""
    text = text[:MOST]
    if text.isascii():
        return [[word[:_WORD_LONGEST]] for word in _PLAIN_WORD.findall(text.lower())]
    apart = unicodedata.normalize("NFKD", text).translate(_UNACCENTED)
    folded = unicodedata.normalize("NFKC", apart.casefold()).translate(_WITHOUT_MARKS)
    return [
        _LETTER.findall(run[0]) if run["unspaced"] else [run[0][:_WORD_LONGEST]]
        for run in _RUN.finditer(folded)
    ]
