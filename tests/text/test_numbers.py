"""Whole numbers, as each language writes them."""

from __future__ import annotations

from babel.numbers import format_decimal

from commentsvc import messages
from commentsvc.languages import LANGUAGES
from commentsvc.text.numbers import number


def test_thousands_stand_apart_as_each_language_has_them() -> None:
    for code in LANGUAGES:
        locale = {"zh-CN": "zh_Hans_CN", "zh-TW": "zh_Hant_TW"}.get(code, code.replace("-", "_"))
        with messages.using(code):
            for value in (0, 7, 999, 10_000, 12_345, 999_999, 1_234_567, -12_345):
                written = format_decimal(value, locale=locale, numbering_system="latn").replace("\u200e", "")
                assert number(value) == written.replace("\u2212", "-"), code


def test_some_languages_have_no_separator_in_four_digits() -> None:
    # Babel does not know CLDR's `minimumGroupingDigits`; these are of CLDR 48, in Chromium 156.
    joined = set()
    for code in LANGUAGES:
        with messages.using(code):
            if number(1234) == "1234":
                joined.add(code)
    assert joined == {"es", "hu", "it", "pl", "pt-PT"}
    with messages.using("es"):
        assert [number(9999), number(-9999), number(10_000)] == ["9999", "-9999", "10.000"]
