"""Texts of any script are cut into the words by which they are found."""

from __future__ import annotations

import pytest

from commentsvc import search_words
from tests.support.time_limit import within

INSIDE = {
    "Chinese": ("\u8fd9\u662f\u4e00\u7bc7\u6587\u7ae0\u3002", "\u6587\u7ae0", "\u7ae0\u6587"),
    "a letter": ("\u8fd9\u662f\u4e00\u7bc7\u6587\u7ae0\u3002", "\u7bc7", "\u4e8c"),
    "Japanese": ("\u65e5\u306e\u30c6\u30ad\u30b9\u30c8", "\uff83\uff77\uff7d\uff84", "\u30c6\u30b9\u30c8"),
    "Thai": ("\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e04\u0e23", "\u0e2a\u0e14\u0e35", "\u0e2a\u0e14\u0e34"),
    "Khmer": ("\u179f\u17b6\u200b\u1781\u17d2\u1798\u17c2\u179a", "\u1781\u17d2\u1798\u17c2", "\u1781\u1798"),
    "Lao": ("\u0e9e\u0eb2\u0eaa\u0eb2\u0ea5\u0eb2\u0ea7", "\u0ea5\u0eb2\u0ea7", "\u0ea5\u0ea7\u0eb2"),
    "Myanmar": ("\u1019\u103c\u1014\u103a\u1019\u102c\u1005\u102c", "\u1005\u102c", "\u1005\u1019"),
    "rare Han": ("\U00020bb7\u91ce\u5bb6\u3067", "\U00020bb7\u91ce", "\u5409\u91ce"),
    "Turkish": ("\u0130zmir'de \u0131zgara", "\u0130ZM\u0130R", "zmir"),
    "dotless": ("Isparta", "\u0131sparta", "sparta"),
    "Hindi": ("\u0939\u093f\u0928\u094d\u0926\u0940 x", "\u0939\u093f\u0928\u094d\u0926\u0940", "\u0939\u0928\u0926"),
    "accents": ("Zo\u00eb na\u00efve", "zoe", "zo"),
    "decomposed": ("Zoe\u0308", "Zo\u00eb", "zo"),
    "sharp s": ("Stra\u00dfe", "STRASSE", "strase"),
    "last sigma": ("\u03bf\u03b4\u03cc\u03c2", "\u039f\u0394\u039f\u03a3", "\u03bf\u03b4"),
    "wide": ("\uff21\uff22\uff23", "abc", "ab"),
    "Hebrew": ("\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", "\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc"),
    "Arabic": ("x \u0623\u062d\u0645\u062f", "\u0627\u062d\u0645\u062f", "\u062d\u0645\u062f"),
    "Persian": ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u062e\u0648\u0627\u0647\u0645", "\u062e\u0648"),
    "soft hyphen": ("co\u00adop", "coop", "co"),
    "Latin within": ("\u4e70iPhone\u624b\u673a", "iphone\u624b\u673a", "phone"),
    "Korean": ("\u5927\u97d3\ubbfc\uad6d\uc5d0", "\u5927\u97d3", "\ubbfc\uad6d"),
}  # fmt: skip


def is_in(text: str, typed: str) -> bool:
    """Whether words stand in a text one after another, the last of them begun if it is one letter."""
    stored, wanted = search_words.words(text), search_words.sought(typed)
    return any(
        all(
            stored[at + place] == word
            or (search_words.is_letter(word) and stored[at + place].startswith(word))
            for place, word in enumerate(wanted)
        )
        for at in range(len(stored) - len(wanted) + 1)
    )


@pytest.mark.parametrize(("text", "typed", "other"), INSIDE.values(), ids=INSIDE)
def test_a_word_is_found_in_a_text_and_another_is_not(text: str, typed: str, other: str) -> None:
    assert is_in(text, typed)
    assert is_in(text, text)
    assert not is_in(text, other)


def test_search_texts_are_words_with_single_spaces() -> None:
    assert search_words.search_text("A b_c", None, "", "ada@mail.example") == "a b c ada mail example"
    assert search_words.search_text("\u6587\u7ae0") == "\u6587\u7ae0 \u7ae0"
    assert search_words.search_text("!!!", "\u2603") == ""


def test_a_long_text_costs_little() -> None:
    with within(5):
        search_words.words("\u6587\u7ae0e\u0301" * 300_000)
