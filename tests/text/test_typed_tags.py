"""HTML tags that people type work inside Markdown; every other tag is shown as typed."""

from __future__ import annotations

import re
from random import Random

import pytest

from commentsvc.text.markup import render_markdown
from tests.support.time_limit import within
from tests.text.test_words_stay import PIECES, lost

TO = '<a href="https://a.test" target="_blank" rel="nofollow ugc noopener noreferrer">'


def shown(source: str) -> str:
    rendered = render_markdown(source)
    assert rendered.agreed
    return rendered.html.strip()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        *((f"<{tag}>x</{tag}>", f"<p><{tag}>x</{tag}></p>") for tag in ("b", "i", "em", "strong", "del", "q")),
        ("<B>x</b >", "<p><b>x</b></p>"),
        ("**a <i>b</i>** <b>*c*</b>", "<p><strong>a <i>b</i></strong> <b><em>c</em></b></p>"),
        ("<b>one <i>two</b> three</i> four", "<p><b>one <i>two</i></b><i> three</i> four</p>"),
        ("<b>one\n\ntwo</b> three", "<p><b>one</b></p>\n<p><b>two</b> three</p>"),
        ("> <b>one\n>\n> two</b>", "<blockquote>\n<p><b>one</b></p>\n<p><b>two</b></p>\n</blockquote>"),
        ("<b>a\n\n```\n<b>\n```\n\nb</b>", "<p><b>a</b></p>\n<pre><code>&lt;b&gt;\n</code></pre>\n<p><b>b</b></p>"),
        ('<a href="https://a.test" target="_blank" rel=nofollow>x <b>y</b></a>', f"<p>{TO}x <b>y</b></a></p>"),
        ("<a title='t' href='https://a.test'>x</a>", f'<p>{TO}x</a> "t"</p>'),
        ("[<b>x</b>](https://a.test)", f"<p>{TO}<b>x</b></a></p>"),
        ('<a href="https://a.test">https://b.test</a>', f"<p>{TO}https://b.test (a.test)</a></p>"),
        ("a <code>x &lt; *y* <b></code>", "<p>a <code>x &lt; *y* &lt;b&gt;</code></p>"),
        ("<code>\na\n\n*b*\n</code>", "<pre><code>a\n\n*b*\n</code></pre>"),
        ("<pre>  a\n\n  <u>b</u></pre> end", "<pre><code>  a\n\n  &lt;u&gt;b&lt;/u&gt;\n</code></pre>\n<p>end</p>"),
        ("<pre><code>a &amp;&amp; b</code></pre>", "<pre><code>a &amp;&amp; b\n</code></pre>"),
        ("see <pre>x</pre>", "<p>see <code>x</code></p>"),
        ("a\n<blockquote>q\n\n- b</blockquote> c\nd",
         "<p>a</p>\n<blockquote>\n<p>q</p>\n<ul>\n<li>b</li>\n</ul>\n</blockquote>\n<p>c<br>\nd</p>"),
        ("<blockquote cite='https://a.test'><blockquote>a</blockquote>b</blockquote>",
         "<blockquote>\n<blockquote>\n<p>a</p>\n</blockquote>\n<p>b</p>\n</blockquote>"),
        ("> <blockquote>a\n> b</blockquote>",
         "<blockquote>\n<blockquote>\n<p>a<br>\nb</p>\n</blockquote>\n</blockquote>"),
        ("1. <blockquote>x</blockquote>\n2. b",
         "<ol>\n<li>\n<blockquote>\n<p>x</p>\n</blockquote>\n</li>\n<li>b</li>\n</ol>"),
    ],
)  # fmt: skip
def test_tags_work(source: str, expected: str) -> None:
    assert shown(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        *("<b>x", "x</b>", "for <i> in x", "<i></i>", "<b>x</i>", "\\<b>x</b>", "< b>x</b>", "<b/>x"),
        *(
            "<u>x</u>",
            "<script>x</script>",
            "a<br>b",
            "<img src=x>",
            "<div>x</div>",
            "<s>x</s>",
            "<!-- x -->",
        ),
        *("<b onclick=x>x</b>", "<b style='x'>x</b>", "<b x>x</b>", "<b>x</b onclick=x>", "<b <i>x</b>"),
        *(
            "<a>x</a>",
            "<a href=''>x</a>",
            "<a href='javascript:x'>x</a>",
            "<a href='/x'>x</a>",
            "<a name=x>x</a>",
        ),
        *("<a href='data:x'>x</a>", "<a href='java&#115;cript:x'>x</a>", "<a href='mailto:'>x</a>"),
        *("<blockquote>x", "<pre>x", "<code>x", "<pre></pre>", "<blockquote> </blockquote>", "</blockquote>"),
    ],
)
def test_any_other_tag_is_shown_as_typed(source: str) -> None:
    html = shown(source)
    assert set(re.findall("</?([a-z]+)", html)) <= {"p", "br"}
    assert "&lt;" in html


@pytest.mark.parametrize("source", ["`<b>x</b>`", "    <b>x</b>", "```\n<b>x</b>\n```"])
def test_in_code_they_are_text(source: str) -> None:
    assert "&lt;b&gt;x&lt;/b&gt;" in shown(source)
    assert "<b>" not in shown(source)


def test_what_markdown_encloses_is_not_crossed() -> None:
    assert shown("*a <b>b* c</b>") == "<p><em>a &lt;b&gt;b</em> c&lt;/b&gt;</p>"
    assert shown("- <b>a\n- b</b>") == "<ul>\n<li>&lt;b&gt;a</li>\n<li>b&lt;/b&gt;</li>\n</ul>"
    assert shown("<blockquote><b>x</blockquote></b>").count("&lt;") == 2


def test_no_link_contains_another() -> None:
    for source in ("<a href='https://a.test'>[x](https://b.test)</a>", "[<a href='https://b.test'>x</a>](https://a.test)",
                   "<a href='https://a.test'>a<a href='https://b.test'>x</a>b</a>"):  # fmt: skip
        assert not re.search(r"<a [^>]*>(?:(?!</a>).)*<a ", shown(source))


@pytest.mark.parametrize("seed", range(3))
def test_in_any_mixture_nothing_is_lost_and_the_sanitisers_agree(seed: int) -> None:
    random = Random(seed)
    tags = [piece for piece in PIECES if "<" in piece]
    for _ in range(300):
        source = "".join(random.choices(PIECES + 3 * tags, k=random.randint(1, 25)))
        assert lost(source) == "", source
        assert render_markdown(source).agreed, source


@pytest.mark.parametrize(
    "source",
    [
        *(
            "<b>" * 20_000,
            "<b>x</b>" * 10_000,
            "<b><i>x</b></i>" * 5_000,
            "<code>" * 15_000,
            "<pre>\n" * 15_000,
        ),
        *(
            "<blockquote>\n" * 8_000,
            "<blockquote>" * 8_000 + "x" + "</blockquote>" * 8_000,
            "<b>\n\n" * 20_000,
        ),
        *("<b>" * 10 + "x\n\n" * 2_000 + "</b>" * 10, "<a href='" * 10_000, "<a " + "href=x " * 15_000),
        *("<blockquote>a</blockquote>" * 4_000, "<pre>a</pre> " * 4_000),
        "<blockquote>\n" * 8_000 + "x\n" + "</blockquote>\n" * 8_000,
    ],
    ids=range(14),
)
def test_a_hundred_thousand_characters_of_tags_take_seconds(source: str) -> None:
    with within(20):
        assert render_markdown(source).agreed
