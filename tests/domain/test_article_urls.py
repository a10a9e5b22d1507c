"""One article has one address, whatever hangs on the link; what is no web page has none."""

from __future__ import annotations

import pytest

from commentsvc.domain import article_urls
from commentsvc.errors import BadAddressError
from tests.support.time_limit import within


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://blog.example", "https://blog.example/"),
        ("https://blog.example/a#section", "https://blog.example/a"),
        ("https://blog.example/a#/two", "https://blog.example/a#/two"),
        ("https://blog.example/a?x=1#!/two?y=2", "https://blog.example/a?x=1#!/two?y=2"),
        ("https://blog.example/a#/two#comment-7", "https://blog.example/a#/two"),
        ("https://blog.example/a#/", "https://blog.example/a"),
        ("https://blog.example/a#!/", "https://blog.example/a"),
        ("https://blog.example/a#/d\u00e9j\u00e0", "https://blog.example/a#/d%C3%A9j%C3%A0"),
        ("HTTPS://BLOG.Example/A", "https://blog.example/A"),
        ("https://blog.example./a", "https://blog.example/a"),
        ("https://blog.example:443/a", "https://blog.example/a"),
        ("http://blog.example:80/a", "http://blog.example/a"),
        ("http://blog.example:443/a", "http://blog.example:443/a"),
        ("https://blog.example:8443/a", "https://blog.example:8443/a"),
        ("https://blog.example:/a", "https://blog.example/a"),
        ("https://b\u00fccher.example/a", "https://xn--bcher-kva.example/a"),
        ("https://xn--bcher-kva.example/a", "https://xn--bcher-kva.example/a"),
        ("https://blog\u3002example/a", "https://blog.example/a"),
        ("https://blog.example/caf\u00e9", "https://blog.example/caf%C3%A9"),
        ("https://blog.example/caf%c3%a9", "https://blog.example/caf%C3%A9"),
        ("https://blog.example/%7euser/%61", "https://blog.example/~user/a"),
        ("https://blog.example/a%2fb", "https://blog.example/a%2Fb"),
        ("https://blog.example/100%", "https://blog.example/100%"),
        ("https://blog.example/%2541", "https://blog.example/%2541"),
        ("https://blog.example/a?utm_source=x&p=1&fbclid=y", "https://blog.example/a?p=1"),
        ("https://blog.example/a?UTM_Source=x", "https://blog.example/a"),
        ("https://blog.example/a?gclid=1&mc_cid=2&_ga=3", "https://blog.example/a"),
        ("https://blog.example/a?p=1&q=", "https://blog.example/a?p=1&q="),
        ("https://blog.example/a?b=2&a=1", "https://blog.example/a?b=2&a=1"),
        ("https://blog.example/a?q=%ff", "https://blog.example/a?q=%FF"),
        ("https://blog.example/a?q=caf\u00e9", "https://blog.example/a?q=caf%C3%A9"),
        ("http://[::1]:8000/a", "http://[::1]:8000/a"),
        ("http://127.0.0.1:5000/a", "http://127.0.0.1:5000/a"),
        ("http://localhost/a", "http://localhost/a"),
    ],
)
def test_an_address_has_one_canonical_form(given: str, expected: str) -> None:
    assert article_urls.canonical(given) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://blog.example/a b".replace(" ", "+"),
        "https://blog.example/%zz%e4%",
        "https://blog.example/a?b=%26%3d&c=%2b+&d",
        "https://blog.example/a?%ff=%fe;x",
        "https://blog.example//a//?x",
        "https://blog.example/\U0001f600/\u6f22\u5b57?q=\u6f22",
    ],
)
def test_a_canonical_address_stays_as_it_is(url: str) -> None:
    once = article_urls.canonical(url)
    assert article_urls.canonical(once) == once
    assert once.isascii()


def test_queries_that_are_no_utf_8_stay_apart() -> None:
    assert article_urls.canonical("https://blog.example/?q=%ff") != article_urls.canonical(
        "https://blog.example/?q=%fe"
    )


@pytest.mark.parametrize(
    "other",
    [
        "http://blog.example/a",
        "https://blog.example/a/",
        "https://blog.example/a//",
        "https://blog.example/a#x",
        "https://blog.example/a/?utm_campaign=x",
    ],
)
def test_scheme_and_slash_at_the_end_share_a_thread(other: str) -> None:
    key = article_urls.thread_key(article_urls.canonical("https://blog.example/a"))
    assert article_urls.thread_key(article_urls.canonical(other)) == key


@pytest.mark.parametrize(
    "other",
    [
        "https://blog.example/b",
        "https://blog.example/A",
        "https://blog.example/a?p=1",
        "https://blog.example:8443/a",
        "https://other.example/a",
        "https://blog.example/",
    ],
)
def test_different_articles_have_different_threads(other: str) -> None:
    key = article_urls.thread_key(article_urls.canonical("https://blog.example/a"))
    assert article_urls.thread_key(article_urls.canonical(other)) != key


@pytest.mark.parametrize(
    "url",
    [
        "",
        "blog.example/a",
        "//blog.example/a",
        "/a",
        "https://",
        "https:///a",
        "https://?x",
        "https:blog.example",
        "javascript:alert(1)",
        "javascript://blog.example/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://blog.example/",
        "blob:https://blog.example/1",
        "https://user@blog.example/",
        "https://user:secret@blog.example/",
        "https://@blog.example/",
        "https://blog.example\\@evil.test/",
        "https://blog.example\\a",
        "https://blog.example/a\nb",
        "https://blog.example/a\r\nLocation: https://evil.test/",
        "https://blog.example/a\tb",
        "https://blog.example/a b",
        " https://blog.example/",
        "https://blog.example/a\x00b",
        "https://blog.example\x00.evil.test/",
        "https://blog.example/\u202egnp",
        "https://blog.example/\u200b",
        "https://blog.example:99999/",
        "https://blog.example:-1/",
        "https://blog.example:0/",
        "https://blog.example:x/",
        "https://blog.example:80:80/",
        "https://blog..example/",
        "https://.",
        "https://blog%2eexample/",
        "https://blog.example%00/",
        "https://*.example/",
        "https://blog,example/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://[::zz]/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 200 + "example/",
        "https://blog.example/" + "a" * 3000,
        "https://blog.example/" + "\u6f22" * 700,
    ],
)
def test_what_is_no_web_page_is_refused(url: str) -> None:
    with pytest.raises(BadAddressError):
        article_urls.canonical(url)


def test_the_longest_address_is_taken() -> None:
    url = "https://blog.example/" + "a" * (article_urls.LONGEST - len("https://blog.example/"))
    assert article_urls.canonical(url) == url


def test_a_refusal_does_not_repeat_a_long_address() -> None:
    with pytest.raises(BadAddressError) as caught:
        article_urls.origin_of("https://blog.example/" + "a" * 3000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "anchor",
    [
        "comment-7",
        "comment-c7",
        "isso-3",
        "remark42__comment-5b1f-22e",
        "commento-0a1b",
        "c4567890123",
        "atk-comment-5",
    ],
)
def test_a_link_to_a_comment_does_not_make_another_article(anchor: str) -> None:
    assert article_urls.canonical(f"https://blog.example/a#/two#{anchor}") == "https://blog.example/a#/two"


@within(2)
def test_a_fragment_made_of_anchors_takes_linear_time() -> None:
    for part in ("#com", "#comment1", "#" + "com" * 50, "#c11111", "#comm"):
        article_urls.canonical("https://blog.example/a#/" + part * (600 // len(part)))
        article_urls.shortened("https://blog.example/a#/" + part * (15_000 // len(part)))


def test_a_link_to_a_text_continues_the_fragment_of_a_hash_router() -> None:
    prefix = article_urls.text_link_prefix
    assert prefix("https://blog.example/a?b=1") == "https://blog.example/a?b=1#:~:text="
    assert prefix("https://blog.example/a#/two") == "https://blog.example/a#/two:~:text="
