"""How others' codes for languages are read."""

from __future__ import annotations

import random

import pytest

from commentsvc.languages import LANGUAGES, match, match_header

CODES = {
    "de": "de-CH-1996 de-CH DE de_DE de_DE.UTF-8 de-AT",
    "el": "gr el-GR",
    "en": "en_US en-GB en",
    "es": "es-MX es-419",
    "he": "iw he-IL",
    "id": "in id-ID",
    "ja": "jp ja-JP",
    "ko": "ko-KR kr",
    "nb": "no nn nb-NO no-NO nn-NO",
    "pt-BR": "pt bp pt-br PT_BR",
    "pt-PT": "pt-PT pt_pt pt-AO pt-MZ",
    "ro": "mo ro-MD",
    "uk": "ua uk-UA",
    "vi": "vi-VN",
    "zh-CN": "zh zh-CN zh-SG zh-Hans zh-Hans-CN zh_Hans_SG",
    "zh-TW": "zh-TW zh-HK zh-MO zh-Hant zh-Hant-TW zh_Hant_HK",
    "": "x-default xx tl sh hbs kh * - _ deutsch 12 de-",
}
"""Our code for each of others', as people write them; those of languages that we do not have, and of none."""


def test_others_codes_are_understood() -> None:
    for ours, theirs in CODES.items():
        assert {code: match(code) for code in theirs.split()} == dict.fromkeys(theirs.split(), ours)
    assert match("") == match(" ") == match("de\0") == match("d\u0435") == ""  # Cyrillic at last
    assert all(match(code) == match(code.upper()) == code for code in LANGUAGES)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ""),
        ("de", "de"),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "fr"),
        ("en;q=0.5, ja;q=0.9", "ja"),
        ("xx, ko;q=0.1", "ko"),
        ("de;q=0, fr;q=0.001", "fr"),
        ("de;q=0", ""),
        ("*", ""),
        ("*;q=0.1, da;q=0", ""),
        ("de;q=2, fr;q=-1, it;q=x, sv;q=0.2", "sv"),
        ("de ; q = 0.3 , fr;q=0.2", "de"),
        ("it, sv", "it"),
        (f"{'x' * 300}, de", ""),
    ],
)
def test_a_header_names_the_language_that_is_liked_best(header: str, expected: str) -> None:
    assert match_header(header) == expected


def test_no_header_does_harm() -> None:
    chance = random.Random(24)
    letters = "de-CH, fr;q=0.5*\t\0é,;=--__zhHantq01."
    for _ in range(300):
        rubbish = "".join(chance.choices(letters, k=8192))
        assert match_header(rubbish) in LANGUAGES.keys() | {""}
        assert match(rubbish) in LANGUAGES.keys() | {""}
