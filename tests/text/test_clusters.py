"""No cluster of a text is higher or wider than those of real words, which stay as they are."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest

from commentsvc.domain import fields
from commentsvc.text import markup
from commentsvc.text.clusters import _SIMPLE, MOST_JOINED, MOST_MARKS, _trait, limited
from commentsvc.text.markup import render_html, render_markdown
from tests.support.time_limit import within

WORDS = {
    "Vietnamese": "Vi\u1ec7t Nam, \u0111\u01b0\u1ee3c l\u1eafm",
    "Greek": "\u1fa7 \u1f00\u03c1\u03c7\u1fc7",
    "Hebrew": "\u05d1\u05bc\u05b0\u05e8\u05b5\u05d0\u05e9\u05c1\u05b4\u0596\u05d9\u05ea"
    " \u05d1\u05bc\u05b8\u05e8\u05b8\u05a3\u05d0",
    "Arabic": "\u0628\u0650\u0633\u0652\u0645\u0650"
    " \u0671\u0644\u0644\u0651\u064e\u0647\u0650"
    " \u0671\u0644\u0631\u0651\u064e\u062d\u0652\u0645\u064e\u0670\u0646\u0650",
    "Persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Sanskrit": "\u0915\u093e\u0930\u094d\u0924\u094d\u0938\u094d\u0928\u094d\u092f\u092e\u094d",
    "Bengali": "\u09b0\u200d\u09cd\u09af\u09be\u09ac",
    "Malayalam": "\u0d28\u0d4d\u200d \u0d2e\u0d32\u0d2f\u0d3e\u0d33\u0d02",
    "Tibetan": "\u0f67\u0f90\u0fb5\u0fa8\u0fb3\u0fba\u0fbc\u0fbb\u0f82",
    "Thai": "\u0e19\u0e49\u0e33\u0e17\u0e35\u0e48\u0e1b\u0e31\u0e4a\u0e21",
    "Burmese": "\u1019\u103c\u103d\u103e\u102d\u102f\u1037 \u1021\u1004\u103a\u1039\u1002\u101c\u102d\u1015\u103a",
    "Khmer": "\u179f\u17d2\u178f\u17d2\u179a\u17b8",
    "Korean": "\ud55c\uae00 \u1112\u119e\u11ab",
    "Japanese": "\uff8a\uff9f \u845b\U000e0100\u57ce",
    "family": "\U0001f468\U0001f3fb\u200d\U0001f469\U0001f3fc\u200d\U0001f467\U0001f3fd\u200d\U0001f466\U0001f3fe",
    "kiss": "\U0001f9d1\U0001f3fb\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f9d1\U0001f3fc",
    "England": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "keycap": "1\ufe0f\u20e3",
    "flags": "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7",
}  # fmt: skip


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("language", WORDS)
def test_real_words_stay_whole(language: str, form: str) -> None:
    word = unicodedata.normalize(form, WORDS[language])  # type: ignore[arg-type]
    assert limited(word) == word
    assert markup.plain(render_markdown(word).html) == word
    assert markup.plain(render_markdown(f"*{word}*").html) == word
    assert markup.plain(render_html(word).html) == word
    if language != "England":
        assert fields.name(word) == unicodedata.normalize("NFC", word)


def heights(text: str) -> int:
    """Return the most marks that stand above or below one character; what is not seen separates none."""
    most = number = 0
    for char in text:
        if unicodedata.category(char) in {"Mn", "Me"}:
            number += 1
        elif unicodedata.category(char) not in {"Cf", "Mc"}:
            number = 0
        most = max(most, number)
    return most


TOWERS = {
    "acutes": "e" + "\u0301" * 1600,
    "references": "e" + "&#769;" * 1600,
    "hexadecimal references": "e" + "&#x301;&#x302;&#x316;" * 500,
    "many kinds": "e" + "".join(map(chr, range(0x300, 0x370))) * 9,
    "zero width between": "e" + "\u0301\u200b\u0302\u200d\u0303\u2060\ufeff\u00ad" * 300,
    "references of zero width between": "e" + "&#769;&#8203;&zwj;" * 300,
    "selectors between": "e" + "\u0301\ufe0f\u034f\U000e0100" * 300,
    "Thai": "\u0e01" + "\u0e47" * 400 + "\u0e49\u0e34" * 99,
    "circles": "e" + "\u20dd\u20df" * 400,
    "Hebrew": "\u05d0" + "".join(map(chr, range(0x591, 0x5BE))) * 9,
    "strong in between": "e" + "**\u0301\u0302**" * 40,
    "code": "`e" + "\u0301\u0302\u0303" * 400 + "`",
    "a block of code": "```\ne" + "\u0301\u0302\u0303" * 400 + "\n```",
    "a link": "[e" + "\u0301\u0302\u0303" * 400 + "](https://a.test)",
    "tags": "e" + "<b>\u0301\u0302</b>" * 40,
}
WAYS: dict[str, Callable[[str], str]] = {
    "post": lambda text: markup.plain(render_markdown(fields.text(text, longest=20_000)).html),
    "rerender": lambda text: markup.plain(render_markdown(text).html),
    "import": lambda text: markup.plain(render_html(text).html),
    "name": lambda text: fields.imported_guest(name_=text, email_="", website_="").name or "",
    "title": lambda text: fields.title(text) or "",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tower", TOWERS)
def test_no_tower_of_marks_stands(tower: str, way: str) -> None:
    assert 0 <= heights(WAYS[way](TOWERS[tower])) <= MOST_MARKS
    assert heights(TOWERS["acutes"]) == 1600


UNBREAKABLE = {
    "leading consonants": "\u1100" * 400,
    "vowels": "\u1100" + "\u1161" * 400,
    "finals": "\uac00" + "\u11a8" * 400,
    "old consonants": "\ua960" * 400,
    "references": "&#x1100;" * 400,
    "people": "\U0001f468\u200d" * 200,
    "tones": "\U0001f44d" + "\U0001f3fb" * 200,
    "voices": "\uff8a" + "\uff9e" * 400,
    "conjuncts": "\u0915\u094d" * 200,
    "subscripts": "\u1780" + "\u17d2\u1780" * 200,
    "number signs": "\u0600" * 400,
    "letters set before": "\u0d4e" * 400 + "a",
    "vowels of a newer standard": "\U00016d63" * 400,
    "spacing marks": "\u0915" + "\u0903" * 400,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", UNBREAKABLE)
def test_no_cluster_is_too_wide_to_be_broken(name: str, way: str) -> None:
    text = WAYS[way](f"{UNBREAKABLE[name]} x").replace("\u200d", "").replace("\u200b", " ")
    runs = text.split()
    assert all(len(run) <= 2 * MOST_JOINED + 2 for run in runs) or "&" in text, runs
    if way not in {"name", "title"} and "spacing" not in name and "&" not in text:
        assert len(runs) > 5  # cut, not shortened


def test_what_is_called_simple_needs_no_look() -> None:
    kinds = {_trait(char)[0] for char in map(chr, range(0xA0, 0x30000)) if _SIMPLE.fullmatch(char)}
    assert kinds <= {"letter", "sign", "other", "syllable"}


@pytest.mark.parametrize("text", [*TOWERS.values(), *UNBREAKABLE.values()])
def test_what_was_cut_is_not_cut_again(text: str) -> None:
    assert limited(limited(text)) == limited(text)
    html = render_markdown(text).html
    assert markup._sanitise(html).html == html


def test_a_long_text_of_marks_takes_its_time_by_its_length() -> None:
    with within(5):
        limited("e\u0301\u200d\u1100" * 25_000)
        render_markdown("e\u0301\u094d\u0915" * 2_500)


@pytest.mark.parametrize("path", ["e" + "\u0301" * 40, "\u1100" * 40, "\u200d", "\u202e"])
def test_no_website_has_what_reaches_out_of_a_line(path: str) -> None:
    with pytest.raises(fields.InvalidFieldsError):
        fields.website(f"https://a.test/{path}")
