"""Where links lead, and what they say of it; and the order in which a text is read."""

from __future__ import annotations

import re

import pytest

from commentsvc.text import markup
from commentsvc.text.markup import render_html, render_markdown

NO_BROWSER_TAKES = [
    *("www.2024", "www.1.2.3", "https://1.2.3.999/", "https://1.2.3.4.5/", "https://256.1.1.1", "https://0x100000000/"),
    *("https://a\u05d0.example/", "https://\u05d0a.example/", "https://a.1\u05d0.example", "https://xn--a.test", "https://a.09"),
    *("https://a..test", "https://.test/", "https://[::g]/", "https://[1::2::3]", "https://a.test:99999/", "https://\u2488.test"),
    *("https://\u00ad/", "https://a%00b.test", "https://%.test", "https://\ufffd.test/", "http://1.2.3.08"),
    *("https://\u2024\u2024/", "https://xn--zzzzzz99999.test"),
    *("https://a\u0338b.test\u200b/", "https://\u0301a.test", "https://a_b.0x", "https://" + "a" * 64 + ".4294967296"),
]  # fmt: skip


@pytest.mark.parametrize("address", NO_BROWSER_TAKES)
@pytest.mark.parametrize(
    "form", ["{0}", "see {0} there", "[words]({0})", "<{0}>", "![words]({0})", "**{0}**"]
)
def test_no_link_is_without_an_address_and_none_holds_a_comment(address: str, form: str) -> None:
    source = form.format(address)
    for render in (render_markdown, render_html):
        rendered = render(source)
        assert rendered.agreed
        assert re.findall(r"<a (?!href=)|<a>", rendered.html) == []
    rendered = render_html(f'<a href="{address}">words</a> {address}')
    assert rendered.agreed
    assert re.findall(r"<a (?!href=)|<a>", rendered.html) == []


@pytest.mark.parametrize("address", ["www.2024", "https://1.2.3.999/", "https://a\u05d0.example/"])
def test_what_no_browser_takes_is_shown_as_it_was_typed(address: str) -> None:
    assert render_markdown(f"see {address} there").html == f"<p>see {address} there</p>\n"
    assert render_markdown(f"[words]({address})").html == f"<p>[words]({address})</p>\n"


@pytest.mark.parametrize("address", ["https://0x7f.1/", "https://a_b.test", "https://b\u00fccher.test"])
def test_what_a_browser_takes_is_a_link(address: str) -> None:
    assert f'<a href="{address}"' in render_markdown(address).html


EVIL = "https://evil.example/x"
WORDS = [
    *("https://bank.example", "http://bank.example/login?x", "bank.example", "www.bank.example", "BANK.EXAMPLE"),
    *("https://b\u0430nk.example", "bank\u3002example", "bank\uff0eexample", "bank\u2024example"),
    *("\uff42\uff41\uff4e\uff4b.example", "bank.example, I swear"),
    *("go to bank.example now", "**bank**.example", "ba\u200bnk.example", "b\u00adank.example", "someone@bank.example"),
    *("bank.example/evil.example", "evil.example.bank.example", "bank.example \\(evil.example)!", "https://1.2.3.4/"),
    *("//bank.example", "10.0.0.1", "a & <b>bank.example"),
    *("https&colon;//bank.example", "https://bank.example@evil.example", "evil.example bank.example"),
]  # fmt: skip


@pytest.mark.parametrize("words", WORDS)
def test_a_link_whose_words_are_another_address_shows_its_own(words: str) -> None:
    html = render_markdown(f"[{words}]({EVIL})").html
    assert " (evil.example)</a>" in html
    assert render_markdown(f"[{words}]({EVIL})").agreed
    plain = words.replace("*", "")
    assert " (evil.example)</a>" in render_html(f'<a href="{EVIL}">{plain}</a>').html


@pytest.mark.parametrize(
    "words",
    ["evil.example", "https://evil.example/x", "www.evil.example", "Evil.Example/y", "the docs", "e.g. this", "3.5",
     EVIL, "our \\(evil.example)"],
)  # fmt: skip
def test_other_words_stay_alone(words: str) -> None:
    assert " (evil.example)</a>" not in render_markdown(f"[{words}]({EVIL})").html.replace("our (", "")


def test_a_host_of_letters_that_look_the_same_is_shown_as_the_network_has_it() -> None:
    html = render_markdown("[https://bank.example](https://b\u0430nk.example)").html
    assert ">https://bank.example (xn--bnk-6cd.example)</a>" in html


def test_an_address_of_mail_is_shown_too() -> None:
    assert "(x@evil.example)</a>" in render_markdown("[help@bank.example](mailto:x@evil.example)").html


TURNING = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]


@pytest.mark.parametrize("number", TURNING, ids=hex)
@pytest.mark.parametrize(
    "form", ["a{0}b", "`a{0}b`", "    a{0}b", "```\na{0}b\n```", "```python\na{0}b\n```", "[a{0}b](https://a.test)",
             "\u05d0{0}b", "- a{0}b", "https://a.test/{0}b", "[a](https://a.test/{0}b)", "<https://a.test/{0}>"]
)  # fmt: skip
def test_no_text_is_read_in_another_order_than_it_was_written(number: int, form: str) -> None:
    for char in (chr(number), f"&#{number};", f"&#x{number:x};"):
        source = form.format(char)
        for render in (render_markdown, render_html):
            rendered = render(source)
            assert rendered.agreed
            assert chr(number) not in rendered.html


def test_marks_of_direction_stay_where_they_are_needed() -> None:
    assert "\u200f" in render_markdown("\u05d0\u05d1!\u200f (x)").html
    for deceiving in ("a\u200eb", "\u05d0 `a\u200fb`", "\u05d0 [a\u200fb](https://a.test)"):
        assert not set("\u200e\u200f\u061c") & set(render_markdown(deceiving).html)
    assert '<a href="https://a.test/x"' in render_markdown("\u05d0 https://a.test/x\u200f!").html


def test_a_long_link_takes_its_time_by_its_length() -> None:
    html = render_markdown("[" + "a." * 4000 + "](https://a.test)").html
    assert markup.plain(html).startswith("a.a.")
