"""What is changed in imported HTML before it is stored: relative links and old smilies."""

from __future__ import annotations

import pytest

from commentsvc.text import imported_source, markup
from tests.support.time_limit import within

BASE = "https://blog.example/2012/post/"


@pytest.mark.parametrize(
    ("address", "full"),
    [
        ("/about/", "https://blog.example/about/"),
        ("#comment-5", f"{BASE}#comment-5"),
        ("?p=3&amp;x=1", f"{BASE}?p=3&amp;x=1"),
        ("../other/", "https://blog.example/2012/other/"),
        ("page.html", f"{BASE}page.html"),
        ("news/today", f"{BASE}news/today"),
    ],
)
@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_relative_link_leads_where_it_led(address: str, full: str, quote: str) -> None:
    html = f"a <a class=x href={quote}{address}{quote}>b</a>"
    assert imported_source.with_full_links(html, BASE) == f'a <a class=x href="{full}">b</a>'


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://x.example/?a=1&b=2">x</a>',
        "<a href='//x.example/'>x</a>",
        '<a href="mailto:a@b.example">x</a>',
        '<a href="javascript:alert(1)">x</a>',
        '<a href="www.x.example/a">x</a>',
        '<a href="x.example">x</a>',
        '<a name="/x" data-href="/x">x</a>',
        'href="/x" <b href="/x">1 < 2</b> <a',
        "",
    ],
)
def test_everything_else_keeps_every_character(html: str) -> None:
    assert imported_source.with_full_links(html, BASE) == html


def test_a_completed_link_is_shown_as_a_link() -> None:
    html = imported_source.with_full_links('<a href="#comment-5">@Anna</a> yes', BASE)
    assert f'href="{BASE}#comment-5"' in markup.render_html(html).html


@pytest.mark.parametrize(
    ("html", "drawn"),
    [
        ("well :oops: :evil:\n:idea:", "well 😳 👿\n💡"),
        (":) <b>:-D</b>8-)", "🙂 <b>😀</b>😎"),
        ("(at 8) http://x a:)b :) :unknown:", "(at 😎 http://x a:)b 🙂 :unknown:"),
        ("<code>if x :)</code> :) <pre> :D </pre>", "<code>if x :)</code> 🙂 <pre> :D </pre>"),
        ("<a title=' :) '>x</a>", "<a title=' :) '>x</a>"),
    ],
)
def test_smilies_of_wordpress_become_emoji_where_it_drew_them(html: str, drawn: str) -> None:
    assert imported_source.with_emoji(html) == drawn


@within(5)
def test_hostile_texts_take_linear_time() -> None:
    for part in ("<a href=", "<a href='/", ":) ", "<code>", "<a " + "href = " * 10):
        html = part * (100_000 // len(part))
        imported_source.with_emoji(imported_source.with_full_links(html, BASE))
