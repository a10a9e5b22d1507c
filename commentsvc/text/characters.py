"""Characters that are invisible, that change the reading direction, or that XML forbids."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ZERO_WIDTH_SPACE = "\u200b"
NON_JOINER = "\u200c"
JOINER = "\u200d"
DIRECTION_MARKS = frozenset("\u061c\u200e\u200f")
"""They affect only their neighbours; texts in right-to-left scripts need them."""
OVERRIDES = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x2070))))
"""Embeddings, overrides and isolates, with which a text can be displayed in another order than it is stored in, and
the deprecated formatting characters, which no font and no browser needs."""
PREPENDED = frozenset(map(chr, (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)))
"""Format characters that are visible: number signs before digits."""

# Unicode's Default_Ignorable_Code_Point, then letters and symbols that are blank in every font.
_NOTHING = (
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F)),
    *((0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)),
    *((0xE0000, 0xE0FFF), (0x2800, 0x2800), (0x16FE4, 0x16FE4), (0x1D159, 0x1D159), (0xFFFC, 0xFFFC)),
)
MARKS = "".join(char for char in map(chr, range(0x300, 0xFE30)) if unicodedata.category(char)[0] == "M")
r"""Marks that belong to the letters before them, in any living script: `\w` of a pattern leaves them out."""
_WIDE_BLANKS = frozenset("\u2800\u3164\uffa0")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@lru_cache(maxsize=4096)
def is_drawn(char: str) -> bool:
    """Whether a character takes part in the drawn text; a space does."""
    if any(first <= ord(char) <= last for first, last in _NOTHING):
        return False
    return unicodedata.category(char) not in {"Cc", "Cf", "Cs"} or char in PREPENDED


def allowed_in_xml(text: str) -> str:
    """Return `text` without the characters that XML 1.0 forbids even when they are escaped."""
    return _NOT_IN_XML.sub("", text)


def is_seen(text: str) -> bool:
    """Whether a text has a visible letter, digit or symbol."""
    return any(is_drawn(char) and unicodedata.category(char)[0] in "LNPS" for char in text)


def without_undrawn(text: str) -> str:
    """Return `text` without invisible characters, except those that letters and emoji need to be drawn correctly."""
    if text.isascii():
        return text
    kept = ""
    for place, char in enumerate(text):
        if char in _WIDE_BLANKS:
            kept += " "
        elif is_drawn(char) or _shapes(kept[-1:], char, text[place + 1 : place + 2]):
            kept += char
    return kept


def _shapes(before: str, char: str, after: str) -> bool:
    """Whether an invisible character changes how its neighbours are drawn."""
    if not before:
        return False
    kind = unicodedata.category(before)
    if char in {JOINER, NON_JOINER}:
        emoji = char == JOINER and (kind in {"So", "Sk"} or before == "\ufe0f")
        return bool(after) and (emoji or _is_shaped(before) or _is_shaped(after))
    if char in {"\ufe0e", "\ufe0f"}:
        return kind[0] in "SPN"
    if 0xE0100 <= ord(char) <= 0xE01EF:  # variants of Chinese characters, used in Japanese names
        return kind == "Lo" and ord(before) >= 0x3400
    return 0x180B <= ord(char) <= 0x180F and 0x1820 <= ord(before) <= 0x18AA


def _is_shaped(char: str) -> bool:
    """Whether a letter or mark belongs to an Arabic or Indic script, in which joiners select the letter's form."""
    if unicodedata.bidirectional(char) == "AL":
        return True
    return unicodedata.category(char) in {"Lo", "Mn", "Mc"} and 0x600 <= ord(char) <= 0x1CFF
