"""What a comment's text becomes: Markdown's few forms, links with manners, and nothing else."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from random import Random
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from commentsvc.text import markup
from commentsvc.text.highlight import LANGUAGES, highlight
from commentsvc.text.markup import Rendered, render_html, render_markdown
from tests.support.attacks import ATTACKS, Attack
from tests.support.each import check_each
from tests.support.time_limit import within

RENDERERS = {"markdown": render_markdown, "html": render_html}


def shown(source: str) -> str:
    rendered = render_markdown(source)
    assert rendered.agreed
    return rendered.html.strip()


def link(href: str, words: str | None = None) -> str:
    manners = 'target="_blank" rel="nofollow ugc noopener noreferrer"'
    return f'<a href="{href}" {manners}>{href if words is None else words}</a>'


_SPOKEN = [
    "a",
    "Word",
    "12",
    "www",
    *"\u00e9\ufb01\u65e5\u0663/%\u20ac\u2764\ufe0f\u200d\U0001f600",
    *".,;:?!\"'()-_\u2013\u2026\u201c\u2019\u3002",
]
_SPACES = [" ", " ", " ", "\n", "\n\n"]
_UNSPOKEN = ["//", "https://", *"*<&[\\`\u00a0"]


def spoken(random: Random) -> str:
    pieces = _SPOKEN + _SPACES + (_UNSPOKEN if random.random() < 0.3 else [])
    return "".join(random.choice(pieces) for _ in range(random.randint(1, 14)))


def test_plain_prose_takes_a_short_way_to_the_same_place(monkeypatch: pytest.MonkeyPatch) -> None:
    sanitised: list[str] = []
    sanitise = markup._sanitise
    monkeypatch.setattr(markup, "_sanitise", lambda html: sanitised.append(html) or sanitise(html))  # type: ignore[func-returns-value]
    random, short = Random(7), 0
    for _ in range(4000):
        text = spoken(random).strip("\n ")
        sanitised.clear()
        html = render_markdown(f"{text}\n\n`x`").html  # with code in it, the long way
        assert sanitised
        sanitised.clear()
        assert render_markdown(text).html + "<p><code>x</code></p>\n" == html, text
        short += not sanitised
    assert 1000 < short < 3500


@pytest.mark.parametrize("beside", ["", " and *more*"])
@pytest.mark.parametrize(
    "address", ["www.blog.example", "WWW.blog.example", "https://blog.example", "HTTPS://blog.example"]
)
def test_an_address_is_a_link_however_it_begins(address: str, beside: str) -> None:
    assert f">{address}</a>" in render_markdown(f"See {address}{beside}").html


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("**b** *i* ~~d~~ __e__", "<p><strong>b</strong> <em>i</em> <del>d</del> <strong>e</strong></p>"),
        ("`x < y`", "<p><code>x &lt; y</code></p>"),
        ("> a\n\nb", "<blockquote>\n<p>a</p>\n</blockquote>\n<p>b</p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("1. a\n2. b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>"),
        ("7. a", '<ol start="7">\n<li>a</li>\n</ol>'),
        ("    code\n    here", "<pre><code>code\nhere\n</code></pre>"),
        ("```\nx < y\n```", "<pre><code>x &lt; y\n</code></pre>"),
        ("# not a heading", "<p># not a heading</p>"),
        ("not a heading\n===", "<p>not a heading<br>\n===</p>"),
        ("a\n\n---", "<p>a</p>\n<p>---</p>"),
        ("<u>as typed</u> &lt;i&gt; &amp; &copy;", "<p>&lt;u&gt;as typed&lt;/u&gt; &lt;i&gt; &amp; \u00a9</p>"),
        ("\\&lt;b> AT&T &amp;amp;", "<p>&amp;lt;b&gt; AT&amp;T &amp;amp;</p>"),
        ("`&lt;` &amp;lt;b&amp;gt;", "<p><code>&amp;lt;</code> &amp;lt;b&amp;gt;</p>"),
        ("a <!-- b --> c", "<p>a &lt;!-- b --&gt; c</p>"),
        ("\\*not emphasis\\*", "<p>*not emphasis*</p>"),
        ("2 * 3 * 4 and snake_case_name", "<p>2 * 3 * 4 and snake_case_name</p>"),
        ("|a|b|\n|-|-|", "<p>|a|b|<br>\n|-|-|</p>"),
    ],
)  # fmt: skip
def test_markdown_becomes_html(source: str, expected: str) -> None:
    assert shown(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[x](https://a.test)", link("https://a.test", "x")),
        ("[x](https://a.test 'title')", link("https://a.test", "x") + ' "title"'),
        ("[x](mailto:anna@a.test)", link("mailto:anna@a.test", "x")),
        ("<https://a.test>", link("https://a.test")),
        ("https://a.test", link("https://a.test")),
        ("HTTPS://A.TEST/x", link("HTTPS://A.TEST/x")),
        ("www.a.test", link("http://www.a.test", "www.a.test")),
        ("https://a.test/?x=1&y=2&copy=3", link("https://a.test/?x=1&amp;y=2&amp;copy=3")),
        ("https://a.test/?a[]=1&b=2", link("https://a.test/?a[]=1&amp;b=2")),
        ("https://a.test/x#part", link("https://a.test/x#part")),
        ("https://a.test:8080/x", link("https://a.test:8080/x")),
        ("https://a.test/\u00e4?q=\u6f22", link("https://a.test/\u00e4?q=\u6f22")),
        ("https://b\u00fccher.test/", link("https://b\u00fccher.test/")),
        ("https://a.test/b_(c)", link("https://a.test/b_(c)")),
        ("(https://a.test/b)", f"({link('https://a.test/b')})"),
        ("(https://a.test/b_(c))", f"({link('https://a.test/b_(c)')})"),
        ("https://a.test/x.", link("https://a.test/x") + "."),
        ("https://a.test/x, y", link("https://a.test/x") + ", y"),
        ("https://a.test/x! y", link("https://a.test/x") + "! y"),
        ("https://a.test/x?", link("https://a.test/x") + "?"),
        ("https://a.test/x; y", link("https://a.test/x") + "; y"),
        ("https://a.test/x: y", link("https://a.test/x") + ": y"),
        ("\u201chttps://a.test/x\u201d", f"\u201c{link('https://a.test/x')}\u201d"),
        ('"https://a.test/x"', f'"{link("https://a.test/x")}"'),
        ("'https://a.test/x'", f"'{link('https://a.test/x')}'"),
        ("**https://a.test/x**", f"<strong>{link('https://a.test/x')}</strong>"),
        ("https://xn--bcher-kva.test/", link("https://xn--bcher-kva.test/")),
        ("https://stra\u00dfe.test/", link("https://stra\u00dfe.test/")),
        ("https://a.test/?x=1&y", link("https://a.test/?x=1&amp;y")),
        ("[https://b.test](https://a.test)", link("https://a.test", "https://b.test (a.test)")),
        ("![dog](https://a.test/dog.png)", link("https://a.test/dog.png", "dog")),
        ("![](https://a.test/dog.png)", link("https://a.test/dog.png")),
    ],
)
def test_addresses_become_links_with_manners(source: str, expected: str) -> None:
    assert shown(source) == f"<p>{expected}</p>"


@pytest.mark.parametrize(
    "source",
    [
        "[x](/relative)",
        "[x](relative)",
        "[x](../up)",
        "[x](#part)",
        "[x](?q)",
        "[x](//evil.test)",
        "[x](\\\\\\\\evil.test)",
        "[x](javascript:alert(1))",
        "[x](tel:123)",
        "[x](data:text/html,x)",
        "[x](https:evil.test)",
        "[x](https://user:pw@evil.test)",
        "[x](https://a.test@evil.test)",
        "[x](https://)",
        "[x](https://a.test:99999)",
        "[x](mailto:)",
        "foo.py and example.com",
        "anna@a.test",
        "ftp://a.test/",
        "x@www.a.test",
        "`https://a.test`",
        "    https://a.test",
        "https://",
        "https:// a.test",
        "https://?x",
        "https://xn--/",
        "https://xn--a.test/",
        "https://xn--abc-.test/",
        "https://xn--a-ecp.test/",
        "https://a.test:0/",
    ],
)
def test_nothing_else_becomes_a_link(source: str) -> None:
    assert "<a" not in shown(source)


def test_code_is_coloured_by_class_names() -> None:
    html = shown("```python\ndef f(): return 'x'\n```")
    assert html.startswith('<pre><code class="language-python"><span class="hl-k">def</span>')
    assert "style=" not in html
    assert markup.plain(html) == "def f(): return 'x'"


@pytest.mark.parametrize(
    "language", ["nosuch", "", "python evil", '"><script>', "../../etc", "l" * 500, "\u00e9"]
)
def test_code_of_an_unknown_language_is_shown_plain(language: str) -> None:
    html = (
        shown(f"```{language}\n<b>\n```") if language != "python evil" else shown("```nosuch x=1\n<b>\n```")
    )
    assert "&lt;b&gt;\n</code></pre>" in html
    assert "<span" not in html


def test_every_language_we_name_is_known() -> None:
    assert [name for name in sorted(LANGUAGES) if not highlight("x", name)] == []


def test_code_of_a_rare_language_is_shown_plain() -> None:
    assert "<span" not in shown("```autoit\n$x = 1\n```")


def test_very_long_code_is_shown_plain() -> None:
    assert "<span" not in shown("```python\n" + "x = 1\n" * 1500 + "```")
    assert "<span" not in shown("```python\nx = " + "1" * 600 + "\n```")


def test_imported_html_keeps_its_forms_and_links() -> None:
    rendered = render_html(
        '<b>x</b> <a href="https://a.test" onclick="x()" class="y" title="z">a</a> https://b.test'
    )
    assert rendered.agreed
    assert "<strong>x" in rendered.html
    assert link("https://a.test", "a") in rendered.html
    assert link("https://b.test") in rendered.html


def test_imported_html_loses_scripts_with_their_text_and_other_tags_without() -> None:
    html = render_html("<h1>Title</h1><script>alert(1)</script><custom>text</custom><img src=x>").html
    assert "Title" in html
    assert "text" in html
    assert "<h1" not in html
    assert "<custom" not in html
    assert "<img" not in html


def test_control_characters_do_not_come_back_as_references() -> None:
    rendered = render_html("a&#1;b&#x0;c&#0000000000012;d&#127;e &#8364; &#x1F600; &#10;")
    assert rendered.agreed
    assert "abcde \u20ac \U0001f600" in rendered.html


def test_the_words_of_a_rendered_text_can_be_had_alone() -> None:
    assert markup.plain(shown("**a** &amp; `b`\n\n- c")) == "a & b c"


class Sentry(HTMLParser):
    """Objects to everything that a comment may not hold."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.objections: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in markup.TAGS:
            self.objections.append(f"<{tag}>")
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.objections.append(f"twice: {names}")
        for name, value in attrs:
            if name not in markup.ATTRIBUTES.get(tag, ()) or not self._value_is_fine(name, value or ""):
                self.objections.append(f"<{tag} {name}={value!r}>")
        if tag == "a" and ("href" in names) != ("target" in names):
            self.objections.append(f"a link without manners: {attrs}")
        if tag == "a" and "rel" not in names:
            self.objections.append(f"a link without manners: {attrs}")

    def _value_is_fine(self, name: str, value: str) -> bool:
        if name == "href":
            parts = urlsplit(value)
            web = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
            return bool(web or value.lower().startswith("mailto:")) and "\\" not in value
        if name == "class":
            return re.fullmatch(r"hl-[a-z0-9]+|language-[a-z0-9+#-]+", value) is not None
        if name == "start":
            return value.isdecimal()
        return value == {"rel": markup.REL, "target": "_blank"}[name]

    def handle_comment(self, data: str) -> None:
        self.objections.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.objections.append(f"<!{decl}>")

    def unknown_decl(self, data: str) -> None:
        self.objections.append(f"<![{data}]>")

    def handle_pi(self, data: str) -> None:
        self.objections.append(f"<?{data}>")


def objections(html: str) -> list[str]:
    sentry = Sentry()
    sentry.feed(html)
    sentry.close()
    return sentry.objections


@pytest.mark.parametrize("renderer", RENDERERS)
def test_an_attack_leaves_only_what_a_comment_may_hold(renderer: str) -> None:
    def check(attack: Attack) -> None:
        with within(20):
            rendered = RENDERERS[renderer](attack.text)
        assert objections(rendered.html) == []
        assert rendered.agreed

    check_each(ATTACKS, check)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_an_excerpt_has_the_words_a_browser_shows(renderer: str) -> None:
    several = 0
    for attack in ATTACKS:
        html = RENDERERS[renderer](attack.text).html
        shown = "".join(part for kind, part in markup._tokens(html) if kind == "text")
        assert markup.plain(html) == " ".join(shown.split()), attack.id
        several += "=" in html and "<a " in html
    assert several > 50


@pytest.mark.parametrize("renderer", RENDERERS)
def test_what_was_rendered_passes_a_second_time_unchanged(renderer: str) -> None:
    for attack in ATTACKS[::3]:
        html = RENDERERS[renderer](attack.text).html
        assert markup._sanitise(html).html == html, attack.id


BOMBS = {
    "links to be": "https://" * 1250,
    "exclamations after a link": "https://a.test/" + "!" * 9980,
    "many exclamations after many links": ("https://a" + "!" * 91) * 100,
    "wide hosts": "https://" + "a." * 4990,
    "hosts with no end": ("https://" + "a" * 92) * 100,
    "parentheses": "(" * 9000 + "https://a.test",
    "parentheses and links": "(((https://a.test" * 600,
    "brackets in a link": "https://a.test/" + "[a]" * 3300,
    "www": "www." * 2500,
    "emphasis": "*a **b " * 1400,
    "strikes": "~~a ~" * 2000,
    "links in links": "[" * 5000 + "](https://a)" * 400,
    "link starts": "[a](" * 2500,
    "angle links": "<https://a" * 1000,
    "references": "&#" * 5000,
    "long references": "&#" + "0" * 9000 + "12345678;",
    "quotes": "> " * 5000,
    "quotes in lists": "> - " * 2500,
    "lists": "- " * 5000,
    "indents": "\n".join(" " * depth + "- x" for depth in range(130)),
    "backticks": "".join("`" * count + " " for count in range(140)),
    "definitions": "[a]: https://a\n" * 660,
    "uses of one definition": "[a]: https://a\n\n" + "[a]" * 3300,
    "entities": "&amp" * 2500,
    "marks": "a" + "\u0301\u0316" * 5000,
    "tags": "<a href='" * 1100,
    "fences": "```python\n" * 1000,
    "blank lines": "\n\n" * 5000,
    "words without end": "a\n\n" * 3300,
    "empty quotes": ">\n\n" * 3300,
    "a deep quote after the other": (">" * 20 + "a\n\n") * 430,
    "numbers in colours": ("```python\n" + ("1," * 240 + "\n") * 8 + "```\n") * 2,
    "short links": "www.ab " * 1400,
    "links without words": "[](https://a)" * 750,
    "an address of emoji": "![](https://a.test/" + "\U0001f600" * 9900 + ")",
    "pictures in pictures": "![" * 1600 + "a" + "](https://a)" * 400,
    "hard spaces": "a" + "\u00a0" * 9900 + "*",
    "uses of a long definition": "[a]: https://a.test/" + "&" * 3000 + "\n\n" + "[a]" * 1000,
    "uses of a definition in emoji": "[a]: https://a.test/" + "\U0001f600" * 4900 + "\n\n" + "[a]" * 1600,
    "uses of a definition for mail": "[a]: mailto:" + "&" * 3000 + "\n\n" + "[a]" * 1000,
    "uses of a definition with a title": "[a]: https://a '" + "x" * 5000 + "'\n\n" + "[a]" * 1600,
    "pictures by definition": "[a]: https://a.test/" + "x" * 5000 + "\n\n" + "![a]" * 1200,
    "uses of a definition that is longer once escaped": "[a]: https://a/" + "&" * 60 + "\n\n" + "[a]" * 3300,
    "uses of a definition that is longer with manners": "[a]: https://a/" + "x" * 60 + "\n\n" + "[a] " * 2400,
    "a link around everything": "<a href='https://a/" + "x" * 5000 + "'>" + "a\n\n" * 1600,
    "a link around every list": "<a href='https://a/" + "x" * 5000 + "'>" + "<li>a" * 1000,
    "a link within what ends": ("<i><a href='https://a/" + "x" * 400 + "'>a</i> <b>b</b>\n\n") * 22,
    "nested emphasis": "<b><i>" * 500 + "a\n\n" * 2300,
    "short links in nested emphasis": "<b><i><s>" + "www.ab\n\n" * 1200,
}


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("name", BOMBS)
def test_no_text_keeps_the_server_busy(name: str, renderer: str) -> None:
    with within(5):
        rendered = RENDERERS[renderer](BOMBS[name][:10_000])
    assert objections(rendered.html) == []
    assert rendered.agreed


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("name", BOMBS)
def test_no_text_becomes_much_longer_than_it_is(name: str, renderer: str) -> None:
    for longest in (100, 10_000):
        source = BOMBS[name][:longest]
        assert len(RENDERERS[renderer](source).html) <= markup.MOST_GROWTH * len(source)


def test_a_text_made_to_flood_shows_as_it_was_typed() -> None:
    assert "<a " in shown("www.ab " * 3)
    assert shown("www.a\n\n" * 100) == "<p>www.a</p>\n" * 99 + "<p>www.a</p>"


@pytest.mark.parametrize("language", ["cpp", "hcl", "haskell", "java", "html"])
def test_no_code_keeps_the_server_busy(language: str) -> None:
    for unit in ("\n", "\n ", "(", '"', "\\", "<a ", "a.", "~$", "'a", " ", "0"):
        line = unit * (480 // len(unit)) + "\n" if "\n" not in unit else unit
        with within(5):
            render_markdown(f"```{language}\n{(line * 4_000)[:3_900]}\n```")


def _unsafe(*_args: object, **_kwargs: object) -> str:
    return "<p>words</p>"


def test_a_text_the_sanitisers_see_differently_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "_LAST", SimpleNamespace(clean=_unsafe))
    assert render_markdown("*other* words") == Rendered(html="<p>words</p>\n".strip(), agreed=False)


def test_the_last_word_is_that_of_nh3(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(html: str) -> str:
        return html + "<img src=x onerror=alert(1)><a href='javascript:alert(1)'>x</a><!-- c --><p onclick=x>"

    monkeypatch.setattr(markup._CLEANERS.own, "clean", careless)
    rendered = render_markdown("*words*")
    assert objections(rendered.html) == []
    assert "onerror" not in rendered.html
    assert not rendered.agreed


def test_texts_rendered_at_once_stay_apart() -> None:
    """Each thread's text comes out as it does alone, however often the threads take over from each other."""
    sources = [f"{word} says **{word * 3}** and https://{word}.example/ `{word}`" for word in "abcdefgh"]
    alone = [render_markdown(source) for source in sources]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(len(sources)) as pool:
            together = list(pool.map(render_markdown, sources * 50))
    finally:
        sys.setswitchinterval(interval)
    assert together == alone * 50
