"""What people type is cleaned or refused, with a sentence to show beside the field."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from commentsvc.domain import fields
from commentsvc.errors import BadAddressError, InvalidFieldsError
from commentsvc.models import FieldRule, Site
from tests.support.attacks import ATTACKS, Attack
from tests.support.each import check_each
from tests.support.time_limit import within


def fault(check: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(InvalidFieldsError) as caught:
        check()
    return caught.value.fields


def site(rule: FieldRule) -> Site:
    return Site(name="Blog", name_field=rule, email_field=rule, website_field=rule)


def test_every_missing_detail_is_named_at_once() -> None:
    result = fault(lambda: fields.guest(site(FieldRule.REQUIRED), name_="", email_=" ", website_="\t"))
    assert result == {
        "name": "Please enter your name here",
        "email": "Please enter your email address here",
        "website": "Please enter your website here",
    }


@pytest.mark.parametrize(
    "empty", ["", " ", "\n\n", "\t", "\u200b", "\x00", "\ufeff", "\u2800", "\u3164", "\u0301", "\u202e\u2066"]
)
def test_a_text_in_which_nothing_is_seen_is_refused(empty: str) -> None:
    assert fault(lambda: fields.text(empty, longest=100)) == {"text": "Please enter a comment"}


def test_a_text_that_is_too_long_is_told_both_lengths() -> None:
    assert fault(lambda: fields.text("a" * 10_001, longest=10_000)) == {
        "text": "This comment has 10,001 characters; the limit is 10,000. Please shorten it."
    }


def test_a_text_keeps_its_lines_and_loses_its_control_characters() -> None:
    assert fields.text("\n  a\r\nb\rc\x00\x07\x1b[1m\td\ud800  \n", longest=100) == "a\nb\nc[1m\td"


def test_a_text_keeps_the_joiners_of_emoji_and_scripts() -> None:
    text = "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert fields.text(text, longest=100) == text


def test_a_tower_of_marks_is_cut() -> None:
    marks = sum(map(unicodedata.combining, fields.text("a" + "\u0301\u0316" * 500, longest=2000))) // 220
    assert marks <= 10


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Anna\t von\u00a0 \u2003Berg\n", "Anna von Berg"),
        ("An\u200bna\ufeff", "Anna"),
        ("\u202eannA\u202c \u2066x\u2069", "annA x"),
        ("A\x00nn\x1ba", "Anna"),
        ("Ann\ud800a", "Anna"),
        ("Jose\u0301", "Jos\u00e9"),
        ("\ue000Anna\U000e0041", "Anna"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("\u200dAnna\u200c", "Anna"),
        ("O'Brien <b>", "O'Brien <b>"),
        ("Anna\u2028Berg", "Anna Berg"),
    ],
)
def test_a_name_stands_on_one_line_without_invisible_characters(typed: str, kept: str) -> None:
    assert fields.name(typed) == kept


@pytest.mark.parametrize(
    "typed",
    ["", " \u00a0\u2003", "\u200b\u200d", "\u3164", "\u2800 \u2800", "\x00", "\u202e", "\u115f\u1160"],
)
def test_a_name_nobody_sees_is_no_name(typed: str) -> None:
    assert fault(lambda: fields.name(typed)) == {"name": "Please enter your name here"}


def test_a_long_name_is_refused() -> None:
    assert fault(lambda: fields.name("a" * 81)) == {"name": "Please use at most 80 characters"}
    assert fields.name("a" * 80) == "a" * 80


def test_a_name_cannot_pile_marks_over_its_neighbours() -> None:
    name = fields.name("Z" + "\u0316\u0301" * 30 + "a")
    assert sum(unicodedata.category(char) == "Mn" for char in name) <= 8


def test_a_flood_of_marks_does_not_keep_the_server_busy() -> None:
    flood = "a" + "\u0301\u0316" * 125_000
    with within(5):
        fields.name(flood)
        fields.title(flood)
        fields.text(flood, longest=10_000)


@pytest.mark.parametrize(
    "typed",
    [
        "anna@mail.example",
        " anna@mail.example ",
        "anna+blog@mail.example",
        "a.b-c_d@sub.mail.example",
        "ann\u00e4@b\u00fccher.example",
        "o'brien@mail.example",
        "1@2.museum",
    ],
)
def test_an_email_address_is_taken(typed: str) -> None:
    assert fields.email(typed) == typed.strip()


@pytest.mark.parametrize(
    "typed",
    [
        "anna",
        "@mail.example",
        "anna@",
        "anna@mail",
        "anna@@mail.example",
        "anna@mail..example",
        "anna@-mail.example",
        "anna@mail.example.",
        "an na@mail.example",
        "anna@mail.example,eve@evil.test",
        "anna@mail.example;eve@evil.test",
        "anna@mail.example\nBcc: eve@evil.test",
        "anna@mail.example\r\nBcc:eve@evil.test",
        "<anna@mail.example>",
        "Anna <anna@mail.example>",
        '"anna"@mail.example',
        "anna@[127.0.0.1]",
        "anna@127.0.0.1",
        "an\x00na@mail.example",
        "an\x7fna@mail.example",
        "an\u200bna@mail.example",
        "\u202eanna@mail.example",
        "a" * 65 + "@mail.example",
        "anna@" + "a" * 250 + ".example",
        "javascript:alert(1)",
        "mailto:anna@mail.example",
    ],
)
def test_what_is_no_email_address_is_refused(typed: str) -> None:
    assert fault(lambda: fields.email(typed)) == {"email": "Invalid email address"}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://anna.example", "https://anna.example"),
        ("http://anna.example/blog?x=1#y", "http://anna.example/blog?x=1#y"),
        ("anna.example", "https://anna.example"),
        ("  anna.example/about ", "https://anna.example/about"),
        ("anna.example:8080/x", "https://anna.example:8080/x"),
        ("//anna.example", "https://anna.example"),
        ("b\u00fccher.example", "https://b\u00fccher.example"),
        ("localhost:8000", "https://localhost:8000"),
    ],
)
def test_a_website_is_an_http_address(typed: str, kept: str) -> None:
    assert fields.website(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "\x01javascript:alert(1)",
        "java\nscript:alert(1)",
        "javascript:1",
        "javascript:1/",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "mailto:anna@mail.example",
        "https:anna.example",
        "https:///anna.example",
        "https://user:pw@anna.example",
        "https://anna.example@evil.test",
        "https://anna.example\\@evil.test",
        "https://anna.example/\x00",
        "https://anna.example/<script>",
        'https://anna.example/"onclick="alert(1)',
        "https://anna.example:99999",
        "https://\u202eanna.example",
        "https://anna .example",
        "https://-anna.example",
        "https://\u2100.example",
        "not a site",
        "anna",
        "https://" + "a" * 500 + ".example",
    ],
)
def test_what_is_no_website_is_refused(typed: str) -> None:
    assert fault(lambda: fields.website(typed)) == {"website": "Invalid website address"}


def test_no_attack_comes_out_as_anything_but_a_web_address() -> None:
    check_each(ATTACKS, is_a_web_address_or_refused)


def is_a_web_address_or_refused(attack: Attack) -> None:
    try:
        kept = fields.website(attack.text)
    except InvalidFieldsError:
        return
    parts = urlsplit(kept)
    assert parts.scheme in {"http", "https"}
    assert parts.hostname
    assert "@" not in parts.netloc
    assert kept.isprintable()
    assert not set(kept) & set("\\<>\"' `")


def test_no_attack_leaves_an_invisible_or_second_line_in_a_name_or_title() -> None:
    check_each(ATTACKS, is_one_visible_line)


def is_one_visible_line(attack: Attack) -> None:
    for cleaned in (fields.imported_guest(name_=attack.text, email_="", website_="").name or "",
                    fields.title(attack.text) or ""):  # fmt: skip
        assert all(char.isprintable() or char in "\u200c\u200d" for char in cleaned)
        assert len(cleaned) <= fields.TITLE_LONGEST


def test_an_optional_detail_may_be_empty_but_not_wrong() -> None:
    optional = site(FieldRule.OPTIONAL)
    assert fields.guest(optional, name_="", email_="", website_="") == fields.Guest()
    assert fault(lambda: fields.guest(optional, name_="", email_="x", website_="javascript:x")) == {
        "email": "Invalid email address",
        "website": "Invalid website address",
    }


def test_a_detail_the_site_does_not_ask_for_is_not_kept() -> None:
    typed = {"name_": "Anna", "email_": "nonsense", "website_": "javascript:alert(1)"}
    assert fields.guest(site(FieldRule.OFF), **typed) == fields.Guest()


def test_an_imported_author_loses_only_the_details_that_are_wrong() -> None:
    guest = fields.imported_guest(name_="A" * 200, email_="nonsense", website_="anna.example")
    assert guest == fields.Guest(name="A" * 80, website="https://anna.example")


def test_a_title_is_cut_to_fit() -> None:
    assert fields.title("T\n" * 400) == ("T " * 150).rstrip()
    assert fields.title(None) is None
    assert fields.title(" \u200b ") is None


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " 1",
        "1 ",
        "1\n",
        "+1",
        "-1",
        "1.0",
        "1_0",
        "0x1",
        "\u0663",
        "\u00b2",
        str(2**63),
        "0" * 20,
        "9" * 5000,
    ],
)
def test_only_ascii_digits_of_a_size_that_databases_take_are_a_number(typed: str) -> None:
    assert fields.whole_number(typed) is None


def test_a_number_is_read_up_to_the_largest() -> None:
    assert [fields.whole_number(typed) for typed in ("0", "07", str(2**63 - 1))] == [0, 7, 2**63 - 1]
    assert fields.whole_number("20", 20) == 20
    assert fields.whole_number("21", 20) is None


def test_a_query_has_a_row_or_none_or_is_refused() -> None:
    query = {"after": "12", "before": "", "open": "\u0663"}
    assert fields.row_argument(query, "after") == 12
    assert fields.row_argument(query, "next") is None
    for name in ("before", "open"):
        with pytest.raises(BadAddressError, match=f"{name} must be a number"):
            fields.row_argument(query, name)
