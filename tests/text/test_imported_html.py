"""What HTML of other systems becomes: paragraphs, quotes, lists, code and links that read as they did there."""

from __future__ import annotations

import pytest

from commentsvc.text import imported_html, markup
from commentsvc.text.markup import render_html
from tests.support.time_limit import within

MANNERS = 'target="_blank" rel="nofollow ugc noopener noreferrer"'


def shown(source: str) -> str:
    rendered = render_html(source)
    assert rendered.agreed
    return rendered.html.replace(f" {MANNERS}", "").replace("\n", "")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("one\ntwo\r\n\r\nthree", "<p>one<br>two</p><p>three</p>"),
        ("one<br />\ntwo<br><br>three", "<p>one<br>two</p><p>three</p>"),
        ("<p>one</p>\n\n<p>two</p>", "<p>one</p><p>two</p>"),
        ("<div>one</div>two", "<p>one</p><p>two</p>"),
        ("one<hr />two", "<p>one</p><p>two</p>"),
        ("<b>b</b> <i>i</i> <strike>s</strike>", "<p><strong>b</strong> <em>i</em> <del>s</del></p>"),
        ("<b>one\n\ntwo</b>", "<p><strong>one</strong></p><p><strong>two</strong></p>"),
        ("<b>a<i>b</b>c</i>", "<p><strong>a<em>b</em></strong><em>c</em></p>"),
        ("<b>a<strong>b</strong>c</b>", "<p><strong>abc</strong></p>"),
        ("<b></b><i> </i>x", "<p>x</p>"),
        ("<h2>Title</h2>text", "<p><strong>Title</strong></p><p>text</p>"),
        ("<q>said</q>", "<p>“said”</p>"),
        ("H<sub>2</sub>O, mc<sup>2</sup>, 1<sup>st</sup>", "<p>H₂O, mc², 1st</p>"),
        ("<tt>a < b</tt> <kbd>c</kbd>", "<p><code>a &lt; b</code> <code>c</code></p>"),
        ("<code>a\n  b</code>", "<pre><code>a  b</code></pre>"),
        ("<pre>  a <b>b</b><br></pre>", "<pre><code>  a b</code></pre>"),
        ("<blockquote>a\n\nb</blockquote>c", "<blockquote><p>a</p><p>b</p></blockquote><p>c</p>"),
        ("<ul>\n<li>a</li>\n<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<ol start=3><li>a<ul><li>b</ul></ol>", '<ol start="3"><li>a<ul><li>b</li></ul></li></ol>'),
        ("<li>a</li><li>b</li>", "<p>• a</p><p>• b</p>"),
        (
            "<table><tr><th>A</th><th>B</th></tr>\n<tr><td>1</td>\n<td></td><td>3</td></tr></table>",
            "<p><strong>A</strong> | <strong>B</strong><br>1 |  | 3</p>",
        ),
        ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "<p><strong>a</strong><br>b</p><p><strong>c</strong><br>d</p>"),
        ('<a href="https://a.example/">a</a>', '<p><a href="https://a.example/">a</a></p>'),
        ('<a data-href="x" title="href=y" href=https://a.example/>a</a>', '<p><a href="https://a.example/">a</a></p>'),
        ('<a href="//a.example/">a</a>', '<p><a href="https://a.example/">a</a></p>'),
        ('<a href="https://a.example/"><p>a</p></a>b', '<p><a href="https://a.example/">a</a></p><p>b</p>'),
        ('<a href="https://a.example/">a<br>b\n\nc</a>', '<p><a href="https://a.example/">a<br>b</a></p><p>c</p>'),
        ('<a href="/about">a</a> <a name="x">b</a>', "<p>a b</p>"),
        ('<img src="https://a.example/b.png" alt="A  cat">', '<p><a href="https://a.example/b.png">A cat</a></p>'),
        ('<a href="https://a.example/"><img src="//b.example" /></a>', '<p><a href="https://a.example/">https://b.example'
            " (a.example)</a></p>"),
        ('<img src="data:image/png;base64,AA" alt="A cat">', "<p>A cat</p>"),
        ('<iframe src="https://v.example/1"></iframe>', '<p><a href="https://v.example/1">https://v.example/1</a></p>'),
        ("see https://a.example/b?c=1&amp;d", '<p>see <a href="https://a.example/b?c=1&amp;d">https://a.example/b?c=1&amp;d</a></p>'),
        ('[caption id="a_1" width="300"]x[/caption] [gallery ids="1,2"]', "<p>x</p>"),
        ("the [gallery] shortcode [...]", "<p>the [gallery] shortcode [...]</p>"),
        ("I <3 you, a < b, <me@home.example>", "<p>I &lt;3 you, a &lt; b, &lt;me@home.example&gt;</p>"),
        ("<https://a.example/b>", '<p>&lt;<a href="https://a.example/b">https://a.example/b</a>&gt;</p>'),
        ("AT&T &amp; &lt;b&gt; &eacute;", "<p>AT&amp;T &amp; &lt;b&gt; é</p>"),
        ("a<!-- hidden -->b <script>c</script><style>d</style>e", "<p>ab e</p>"),
        ("<o:p>a</o:p><unknown b='>'>c</unknown>", "<p>ac</p>"),
        ("<?php echo 1 ?>", "<p>&lt;?php echo 1 ?&gt;</p>"),
    ],
)  # fmt: skip
def test_html_of_another_system_reads_as_it_did_there(source: str, expected: str) -> None:
    assert shown(source) == expected


def test_words_of_different_paragraphs_stay_apart_in_an_excerpt() -> None:
    assert (
        markup.plain(render_html("one<br>two<p>three</p><ul><li>four<li>five</ul>").html)
        == "one two three four five"
    )


@pytest.mark.parametrize("depth", [21, 5000])
def test_deep_quotes_are_flattened_and_keep_their_text(depth: int) -> None:
    html = shown("<blockquote>" * depth + "x" + "</blockquote>" * depth + "y")
    assert html.count("<blockquote>") == html.count("</blockquote>") == 20
    assert html.endswith("<p>y</p>")
    assert "<p>x</p>" in html


BOMBS = [
    *("<", "<b", "<b>", "</b>", "<!--", "<!-- -", '<a href="', "<a '\"", "<a b=c", "<a>", "&", "&#", "<pre>", "<code>"),
    *("<ul><li>", "</ul>", "<blockquote>", "</blockquote>", "<table><tr><td>", "<td>x", "<script>", "[caption a="),
    *("<![", "<?", "<pre></code>", "<b><i><s>x</i></b>", "<sup>1", "\n", "<br>", "a\n", "http://", "<img src=http://x.y>"),
]  # fmt: skip


@pytest.mark.parametrize(
    "between", ["a\n\n", "<p>a", "<li>a", "<i>a</i></p>", "</p><i>a</i> <p>", "<q></q><pre>a</pre>"]
)
@pytest.mark.parametrize("before", ["", "<b><i>" * 1000, "<ul>", "<s><b><i>"])
def test_a_link_that_never_ends_is_written_once(before: str, between: str) -> None:
    source = f'{before}<a href="https://a.example/{"x" * 15_000}">' + between * 5000
    with within(10):
        html = imported_html.rewrite(source)
    assert len(html) < 20 * len(source)
    assert html.count("<a ") < 5


@pytest.mark.parametrize("bomb", BOMBS)
def test_no_text_takes_more_time_than_its_length_asks_for(bomb: str) -> None:
    with within(10):
        imported_html.rewrite(bomb * (300_000 // len(bomb)))
    assert render_html(bomb * 300).agreed
