"""Nothing that anybody typed disappears: what is not understood is shown as it was typed."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from random import Random

import pytest

from commentsvc.domain import fields
from commentsvc.text import markup
from commentsvc.text.markup import render_html, render_markdown

PIECES = [
    *("word", "Zwei", "3", "x9", "\u00e4\u00df", "\u6f22\u5b57", "\u0645\u0646", "\U0001f600", "'s", "e.g."),
    *("[", "]", "(", ")", "![", "](", "[]", "()", "]: ", "][", "[1]", "[^1]", "[^1]: note", "[1]: https://a.test/x"),
    *("[site](example.com)", "[ok](https://a.test/p)", "[t](https://a.test 'ti tle')", "[](https://b.test)", "[x]()"),
    *("![alt](https://a.test/i.png)", "![alt](i.png)", "![](https://a.test/i.png \"t\")", "<https://c.test/q?a=1&b=2>"),
    *("[![b](https://i.test/b.svg)](https://c.test)", "[https://b.test](https://a.test)", "[a](<https://a.test/b c>)"),
    *("https://a.test/x_(y)", "(https://a.test)", "www.a.test", "www.2024", "https://1.2.3.999/", "mailto:a@b.test"),
    *("<b>", "</b>", "<i class='q'>", "<!-- hidden -->", "<script>alert(1)</script>", "<br/>", "<img src=x>"),
    *("<q>", "</q>", "<em>", "</em>", "<a href='https://a.test/z'>", "</a>", "<code>", "</code>", "<pre>", "</pre>"),
    *("<blockquote>", "</blockquote>", "\n<blockquote>", "\n<pre>", "\n<code>\n", "<b><i>", "</b></i>"),
    *("&amp;", "&lt;", "&copy;", "&#8238;", "&nbsp;", "&#769;", "&", "<x@y.test>", "\\", "\\*", "\\[", "\\\\"),
    *("*", "**", "_", "__", "~~", "~", "`", "``", "```", "~~~", "```python", "```hello world", "~~~ odd lang", "    "),
    *("- ", "* ", "+ ", "1. ", "2. ", "7) ", "007. ", "20251129. ", "* * *", "---", "___", "- - ", "> ", ">> ", ">"),
    *("# ", "## Title ##", "===", "|a|b|", "|-|-|", "- [ ] ", "- [x] ", ": ", ":tada:", "$x^2$", "\t"),
    *(">" * 23 + " ", "> - " * 12, "    code", "f[i](x) = g[j](y)", "[Edit]: typo", "  "),
    *("\n", "\n", "\n", "\n\n", "\n\n", "\n    ", "\n  ", " ", " ", " "),
]  # fmt: skip


class Reading(HTMLParser):
    """What a reader can get at: texts, the numbers of lists, addresses and the names of languages."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._numbers: list[int | None] = []
        self._address = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.said.append(values.get("class", "") if tag == "code" else "")
        if tag in {"ol", "ul"}:
            self._numbers.append(int(values.get("start", "1")) if tag == "ol" else None)
        if tag == "li" and self._numbers[-1] is not None:
            self.said.append(str(self._numbers[-1]))
            self._numbers[-1] += 1
        if tag == "a":
            self._address = values["href"]
            self.said.append(self._address)  # a tag has it before the text, Markdown behind it

    def handle_endtag(self, tag: str) -> None:
        if tag in {"ol", "ul"}:
            self._numbers.pop()
        if tag == "a":
            self.said.append(self._address)

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def lost(source: str) -> str:
    """Return the source from the first letter or digit on that is not to be found in its HTML, in order.

    The names of tags that may work are not looked for.
    """
    reading = Reading()
    reading.feed(render_markdown(source).html)
    result = iter("".join(reading.said))
    unsaid = r"&(?:#\d+|[a-z]+);|</?(?:b|i|q|em|a(?: href)?|code|pre|blockquote)(?=[\s=>])"
    typed = re.sub(unsaid, lambda match: " " * len(match[0]), source)
    for place, char in enumerate(typed):
        if char.isalnum() and char not in result:
            return source[place:]
    return ""


@pytest.mark.parametrize("seed", range(6))
def test_every_letter_and_digit_stands_in_the_text_or_in_an_address(seed: int) -> None:
    random = Random(seed)
    for _ in range(300):
        source = "".join(random.choices(PIECES, k=random.randint(1, 25)))
        assert lost(source) == "", source
        assert render_markdown(source).agreed, source


@pytest.mark.parametrize("seed", range(2))
def test_no_mixture_makes_a_link_without_an_address(seed: int) -> None:
    random = Random(100 + seed)
    for _ in range(400):
        html = render_markdown("".join(random.choices(PIECES, k=random.randint(1, 25)))).html
        assert re.findall(r"<a (?!href=)|<a>", html) == []


def test_the_search_for_lost_words_finds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lost("a b") == ""
    monkeypatch.setattr(markup, "_MARKDOWN", lambda source: source.replace("hidden", ""))
    assert lost("*one* hidden two") == "hidden two"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[my site](example.com)", "<p>[my site](example.com)</p>"),
        ("f[i](x) = g[j](y)", "<p>f[i](x) = g[j](y)</p>"),
        ("[x]() ![y]()", "<p>[x]() ![y]()</p>"),
        ("[Edit]: typo", "<p>[Edit]: typo</p>"),
        ("20251129. Saturday", "<p>20251129. Saturday</p>"),
        ("1986. What a summer\n1987. Too", "<p>1986. What a summer</p>\n<p>1987. Too</p>"),
        ("007. Bond", "<p>007. Bond</p>"),
        ("1. a\n2. b\n5. c", "<p>1. a</p>\n<p>2. b</p>\n<p>5. c</p>"),
        ("3) a\n4) b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("1. > q\n1. b", "<p>1.</p>\n<blockquote>\n<p>q</p>\n</blockquote>\n<p>1. b</p>"),
        ("42.", "<p>42.</p>"),
        ("* * *", "<p>* * *</p>"),
        ("a\n\n- - -\n\nb", "<p>a</p>\n<p>- - -</p>\n<p>b</p>"),
        ("+ + +", "<p>+ + +</p>"),
        ("* * note", "<p>* * note</p>"),
        ("- a\n\n***\n\n- b", "<ul>\n<li>a</li>\n</ul>\n<p>***</p>\n<ul>\n<li>b</li>\n</ul>"),
        (">", "<p>&gt;</p>"),
        ("```hello world\nx\n```", "<pre><code>hello world\nx\n</code></pre>"),
    ],
)
def test_what_is_not_understood_is_shown_as_it_was_typed(source: str, expected: str) -> None:
    assert render_markdown(source).html.strip() == expected


def test_a_list_of_sources_is_shown() -> None:
    html = render_markdown("As in [1].\n\n[1]: https://a.test/one\n[2]: https://b.test 'Two'").html
    assert markup.plain(html) == "As in [1]. [1]: https://a.test/one [2]: https://b.test 'Two'"
    assert 'href="https://a.test/one"' in html


@pytest.mark.parametrize("mark", ["> ", ">", "> - ", "- > "])
def test_what_lies_too_deep_is_shown(mark: str) -> None:
    html = render_markdown(mark * 30 + "the words").html
    assert "the words" in markup.plain(html)
    assert html.count("<blockquote>") <= 20


def test_code_at_the_beginning_keeps_its_indent() -> None:
    source = fields.text("\n\n    if x:\n        y\n\nSo?\n\n", longest=100)
    assert render_markdown(source).html == "<pre><code>if x:\n    y\n</code></pre>\n<p>So?</p>\n"


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("(as in https://a.test/x_(y))", "https://a.test/x_(y)"),
        ("(https://a.test/x_(y)).", "https://a.test/x_(y)"),
        ("(a (https://a.test/x))", "https://a.test/x"),
        ("(https://a.test/x?!)", "https://a.test/x"),
        ("https://a.test/x))", "https://a.test/x"),
        ("\uff08https://a.test/x\uff09\u3002", "https://a.test/x"),
    ],
)
def test_a_link_ends_where_its_address_does(source: str, address: str) -> None:
    html = render_markdown(source).html
    assert f">{address}</a>" in html
    assert markup.plain(html) == source


def test_imported_text_keeps_its_words_too() -> None:
    assert markup.plain(render_html("[x](y) &lt;b&gt; [1]: z\n20251129. S\n* * *").html) == (
        "[x](y) <b> [1]: z 20251129. S * * *"
    )
