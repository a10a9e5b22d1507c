"""An article's page is asked for its title alone, and nothing it says costs more than that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from commentsvc.integrations import article_page, html_page
from commentsvc.integrations.article_page import ArticlePage
from tests.support.certificates import Authority
from tests.support.strange_server import Internet, Server

BLOG = frozenset({"https://blog.example"})
HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def blog(authority: Authority, tmp_path: Path) -> Iterator[Server]:
    """A web server with a certificate for blog.example."""
    server = Server(tls=authority.server("blog.example", tmp_path))
    yield server
    server.close()


@pytest.fixture
def internet(blog: Server, authority: Authority) -> Internet:
    return Internet(blog, authority.client())


def read(
    internet: Internet, url: str = "https://blog.example/a", within: frozenset[str] = BLOG
) -> ArticlePage | None:
    return article_page.read(url, within=within, network=internet.network)


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<title>Swifts</title>", "Swifts"),
        ("<TITLE lang=en>\n Swifts\n &amp; swallows </TITLE>", "Swifts\n & swallows"),
        ("<title>Swifts | My blog</title><meta property='og:title' content='Swifts'>", "Swifts"),
        ('<meta content="&quot;Swifts&quot; > all" property=og:title><title>No</title>', '"Swifts" > all'),
        ('<meta name="twitter:title" content="Swifts"><title>No</title>', "Swifts"),
        ('<meta name="twitter:title" content="No"><meta property="og:title" content="Swifts">', "Swifts"),
        ('<meta property="og:title" content=" "><title>Swifts</title>', "Swifts"),
        ('<meta name="title" content="No"><title>Swifts</title>', "Swifts"),
        ("<title>AT&amp;amp;T</title>", "AT&amp;T"),
        ("<svg/><title>Swifts</title></title>", "Swifts"),
        ("<!-- <title>No</title> --><title>Swifts</title>", "Swifts"),
        ("<script>document.write('<title>No</title>')</script><title>Swifts</title>", "Swifts"),
        ("<style><title>No</title></style><title>Swifts</title>", "Swifts"),
        ("<svg><title>No</title></svg><title>Swifts</title>", "Swifts"),
        ("<title>Swifts</title><title>No</title>", "Swifts"),
        ("<title>How to use <b> & <script></title>", "How to use <b> & <script>"),
        ("<head></head><body><title>No</title></body>", ""),
        ("<title>unclosed", ""),
        ("<title></title>", ""),
        ("{}", ""),
        ("", ""),
    ],
)
def test_what_a_page_is_called(html: str, title: str) -> None:
    assert article_page.title_of(html) == title


@pytest.mark.parametrize(
    "html",
    [
        "<" * 500_000,
        "<!--" * 125_000,
        "<a " * 166_000,
        "<a \"'" * 100_000,
        "<title " * 70_000,
        "<title>" * 70_000,
        "<script>" * 62_000,
        "<meta content=" + "a=" * 250_000 + ">",
        "<meta " + "'\"" * 250_000,
        *(
            tag * (article_page.LARGEST // len(tag))
            for tag in ("<", "<x>", "</x", "</x>", "<!-->", "<meta>", "<?")
        ),
    ],
    ids=lambda html: html[:12],
)
def test_a_hostile_page_is_read_in_no_time(html: str) -> None:
    begun = time.process_time()
    article_page.title_of(html)
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<title>Mauersegler über Köln</title>".encode(), "text/html"),
        ("\ufeff<title>Mauersegler über Köln</title>".encode(), "text/html; charset=iso-8859-1"),
        ("<title>Mauersegler über Köln</title>".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ("<meta charset=windows-1252><title>Mauersegler über Köln</title>".encode("cp1252"), "text/html"),
        (
            '<meta content="text/html; charset=utf-8"><title>Mauersegler über Köln</title>'.encode(),
            "text/html",
        ),
        ("<meta charset=utf-16><title>Mauersegler über Köln</title>".encode(), "text/html"),
        ("\ufeff<title>Mauersegler über Köln</title>".encode("utf-16-le"), "text/html"),
        ("<title>Mauersegler über Köln</title>".encode(), "text/html; charset=punycode"),
        ("<title>Mauersegler über Köln</title>".encode(), "text/html; charset=no-such-thing"),
    ],
)
def test_letters_are_read_as_a_browser_does(body: bytes, content_type: str) -> None:
    assert article_page.title_of(html_page.decoded(body, content_type)) == "Mauersegler über Köln"


def test_what_a_page_calls_latin_1_is_windows_1252() -> None:
    body = "<title>“Swifts”: 5 €</title>".encode("cp1252")
    assert article_page.title_of(html_page.decoded(body, "text/html; charset=latin1")) == "“Swifts”: 5 €"


@pytest.mark.parametrize(
    ("label", "text", "encoding"),
    [
        ("iso-8859-9", "Şubat: 5 €", "cp1254"),
        ("iso-8859-11", "สวัสดี €", "cp874"),
        ("shift_jis", "日本①", "cp932"),
        ("euc-kr", "똠방각하", "cp949"),
        ("gb2312", "你好镕", "gb18030"),
        ("big5", "香港嘅", "big5hkscs"),
    ],
)
def test_other_names_of_encodings_mean_what_they_mean_in_browsers(
    label: str, text: str, encoding: str
) -> None:
    body = f"<title>{text}</title>".encode(encoding)
    assert article_page.title_of(html_page.decoded(body, f"text/html; charset={label}")) == text


def test_a_page_is_asked_for(blog: Server, internet: Internet) -> None:
    blog.play(HTML + b"<title>Swifts</title>")
    assert read(internet) == ArticlePage("https://blog.example/a", "Swifts")
    assert blog.requests[0].startswith("GET /a HTTP/1.1\r\n")
    assert "Cookie" not in blog.requests[0]


def test_of_a_large_page_the_beginning_is_enough(blog: Server, internet: Internet) -> None:
    large = b"<title>Swifts</title>" + b"<p>Well." * article_page.LARGEST
    blog.play(HTML + large)
    assert read(internet) == ArticlePage("https://blog.example/a", "Swifts")
    blog.play(HTML.replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % len(large)) + large)
    assert read(internet) == ArticlePage("https://blog.example/a", "Swifts")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<title>Not found</title>",
        b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<title>Just a moment...</title>",
        b"HTTP/1.1 503 Busy\r\nContent-Type: text/html\r\n\r\n<title>Maintenance</title>",
        b"HTTP/1.1 201 Created\r\nContent-Type: text/html\r\n\r\n<title>Created</title>",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n<title>A file</title>",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n<title>A text</title>",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\nxx",
        b"",
    ],
)
def test_another_answer_is_no_page(blog: Server, internet: Internet, answer: bytes) -> None:
    blog.play(answer)
    assert read(internet) is None


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "https://www.blog.example/a",
        "https://blog.example:8443/a",
        "//evil.example/a",
    ],
)
def test_a_redirect_leads_nowhere_but_to_the_sites_own_origins(
    blog: Server, internet: Internet, to: str
) -> None:
    blog.play(b"HTTP/1.1 302 Found\r\nLocation: %s\r\n\r\n" % to.encode())
    assert read(internet) is None
    assert set(internet.looked_up) == {"blog.example"}
    assert len(internet.connected) == 1


def test_a_redirect_within_the_site_is_followed(blog: Server, internet: Internet) -> None:
    blog.play(b"HTTP/1.1 301 Moved\r\nLocation: /b/\r\n\r\n", HTML + b"<title>Swifts</title>")
    assert read(internet) == ArticlePage("https://blog.example/b/", "Swifts")


def test_an_address_that_is_not_of_the_site_is_not_asked(internet: Internet) -> None:
    assert read(internet, "https://evil.example/a") is None
    assert internet.connected == internet.looked_up == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "192.168.1.2", "169.254.169.254", "::1"])
def test_a_private_address_is_not_asked(blog: Server, authority: Authority, address: str) -> None:
    internet = Internet(blog, authority.client(), blog_example=[address])
    assert read(internet) is None
    assert internet.connected == []


def test_a_private_address_is_asked_where_the_owner_says_so() -> None:
    server = Server(HTML + b"<title>Swifts</title>")
    try:
        origin = f"http://127.0.0.1:{server.port}"
        page = article_page.read(f"{origin}/a", within=frozenset({origin}), allow_private=True)
        assert page == ArticlePage(f"{origin}/a", "Swifts")
        assert article_page.read(f"{origin}/a", within=frozenset({origin})) is None
    finally:
        server.close()
