"""Reading through the doors: the frame, the page, the pieces; whatever is asked, in whatever words."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session
from werkzeug.routing import IntegerConverter, Rule
from werkzeug.test import EnvironBuilder

import commentsvc
from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain.moderation import decisions
from commentsvc.models import Comment, Order, Status
from tests.conftest import BASE_URL, BLOG, dispose, environment
from tests.support.guest_client import ARTICLE, Elements, GuestClient, add_site, contents

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.fixture
def reader(app: Flask) -> GuestClient:
    add_site(app)
    return GuestClient(app)


def decide(app: Flask, comment_id: int, status: Status) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        decisions.decide(session, session.get_one(Comment, comment_id), status)
        session.commit()


def ids(html: str) -> list[int]:
    """The comments on a page, in their order."""
    return [int(one.removeprefix("comment-")) for one in Elements(html).ids() if one.startswith("comment-")]


def fill(reader: GuestClient, roots: int) -> list[int]:
    return [reader.posted(f"Comment {number}") for number in range(roots)]


def bulk(app: Flask, reader: GuestClient, roots: int) -> None:
    """One posted comment and copies of it, enough for several pages."""
    reader.posted("Comment")
    with app.app_context(), db.engine.begin() as connection:
        unique = {"id", "idempotency_key", "receipt_hash"}
        columns = [name for name in Comment.__table__.columns.keys() if name not in unique]  # noqa: SIM118
        named = ", ".join(columns)
        connection.exec_driver_sql(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {roots - 1}) "
            f"INSERT INTO comment ({named}) SELECT {named} FROM comment, n"
        )


@pytest.mark.parametrize("door", ["/embed", "/thread"])
@both_engines
def test_a_thread_shows_its_comments_and_the_form(app: Flask, door: str) -> None:
    add_site(app)
    reader = GuestClient(app)
    first = reader.posted("One **bold** word")
    reply = reader.posted("An answer", parent=str(first))
    page = Elements(reader.get(door).text)
    assert [one for one in page.ids() if one.startswith("comment-")] == [
        f"comment-{first}",
        f"comment-{reply}",
    ]
    assert "2 Comments" in page.text
    assert page.all("textarea", name="text")
    assert page.all("form", method="post", action=f"{door}/comments")
    assert page.all("input", name="url")[0]["value"] == ARTICLE


@pytest.mark.parametrize("door", ["/embed", "/thread", "/embed/own"])
def test_reading_makes_no_thread(app: Flask, reader: GuestClient, door: str) -> None:
    before = contents(app)
    assert reader.get(door).status_code == 200
    assert contents(app) == before
    assert before["thread"] == []


def test_http_and_https_and_a_slash_read_one_thread(app: Flask) -> None:
    add_site(app)
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO origin (site_id, origin) VALUES (1, 'http://blog.example')")
    GuestClient(app).posted("Hello")
    for url in ("http://blog.example/article/", f"{ARTICLE}?utm_source=x", f"{ARTICLE}#comment-1"):
        assert ids(GuestClient(app, url).get().text) == [1]


def test_a_websites_owner_is_told_what_to_do_where_no_reader_looks(app: Flask, reader: GuestClient) -> None:
    answer = GuestClient(app, "https://other.example/a").get()
    assert answer.status_code == 404
    assert "commentsvc site add &#34;My blog&#34; https://other.example" in answer.text.replace(
        "&quot;", "&#34;"
    )
    assert re.findall(r"<p.*", answer.text) == ['<p class="closed">There are no comments on this page.</p>']
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
    assert GuestClient(app, "https://other.example/a").get("/thread").status_code == 404


NO_ADDRESSES = (
    "",
    "x",
    "javascript:alert(1)",
    f"{BLOG}/\x00",
    f"{BLOG}\\@evil.test/",
    "\ufffd",
    f"{BLOG}/{'x' * 3000}",
    f"{BLOG}:99999/",
    "https://user@blog.example/",
)


@pytest.mark.parametrize("door", ["/embed", "/thread", "/embed/own"])
def test_what_is_no_address_is_said_to_be_none(app: Flask, door: str) -> None:
    add_site(app)
    for url in NO_ADDRESSES:
        answer = GuestClient(app, url).get(door)
        assert answer.status_code == 400, url
        assert "address" in answer.text


def test_no_argument_at_all_is_said_to_be_no_address(reader: GuestClient) -> None:
    for door in ("/embed", "/thread", "/embed/own"):
        assert reader.client.get(door).status_code == 400


NUMBERS = (
    "",
    "x",
    "-1",
    "1.5",
    "1e3",
    "\u0661",
    "1\x00",
    "9" * 19,
    "9" * 5000,
    " 1",
    "0x1",
    "1 OR 1=1",
    "\ufffd",
)
ODD = (
    "1\x00",
    "\ufffd%",
    "9" * 5000,
    "0",
    "9" * 18,
    "'; DROP TABLE comment; --",
    "{{7*7}}",
    "../../etc/passwd",
    "\r\nSet-Cookie: x=1",
)
ARGUMENTS = ("comment", "reply", "replies", "after", "order", "fragment", "canonical", "id", "as")


@both_engines
def test_what_is_no_number_is_said_to_be_none(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    reader.posted()
    for name, value in itertools.product(("comment", "reply", "replies"), NUMBERS):
        assert reader.get(**{name: value}).status_code == 400, (name, value)
        assert reader.get("/thread", **{name: value}).status_code == 400, (name, value)
        if name != "reply":
            assert reader.get(fragment="1", **{name: value}).status_code == 400, (name, value)


@both_engines
def test_no_argument_is_a_fault_on_our_side(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    reader.posted()
    before = contents(app)
    doors = itertools.cycle(("/embed", "/thread", "/embed/own"))
    for door, (name, value) in zip(doors, itertools.product(ARGUMENTS, ODD), strict=False):
        answer = reader.get(door, **{name: value})
        assert answer.status_code < 500, (name, value)
        assert "Set-Cookie" not in answer.headers
        assert "\x00" not in answer.text, (name, value)
    assert contents(app) == before


RAW = (b"%ff", b"%fe%ff", b"%c3%28", b"%ed%a0%80", b"%00", b"%", b"%zz", b"%u0041")


@both_engines
def test_bytes_that_are_no_text_do_no_harm(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    reader.posted()
    doors = itertools.cycle(("/embed", "/thread", "/embed/own", "/counts", "/embed"))
    names = (b"url", *map(str.encode, ARGUMENTS))
    for door, (name, raw) in zip(doors, itertools.product(names, RAW), strict=False):
        query = b"url=" + ARTICLE.encode() + b"&" + name + b"=" + raw
        assert reader.client.get(f"{door}?{query.decode()}").status_code < 500, query


NO_COMMENTS = ("0", "99", "-1", "x", "1.0", str(2**63 - 1), str(2**63), "9" * 30, "9" * 5000, "%00", "%D9%A1")


@both_engines
def test_a_comment_that_is_not_there_has_no_address(app: Flask) -> None:
    for number in NO_COMMENTS:
        assert app.test_client().get(f"/comment/{number}").status_code == 404, number


def test_a_comments_address_leads_to_its_article(app: Flask, reader: GuestClient) -> None:
    comment = reader.posted()
    answer = reader.client.get(f"/comment/{comment}")
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{ARTICLE}#comment-c{comment}"


def test_a_held_comments_address_leads_nowhere(app: Flask, reader: GuestClient) -> None:
    comment = reader.posted()
    for status in (Status.HELD, Status.SPAM, Status.TRASH):
        decide(app, comment, status)
        assert reader.client.get(f"/comment/{comment}").status_code == 404


def test_a_page_leads_to_the_next_until_every_comment_was_there(app: Flask, reader: GuestClient) -> None:
    bulk(app, reader, 130)
    for order in Order:
        results: list[int] = []
        where = f"/embed?url={ARTICLE}&order={order}"
        for _ in range(3):
            html = reader.client.get(where).text
            results.extend(ids(html))
            links = Elements(html).all("a", data_more_="") or [
                attributes
                for tag, attributes in Elements(html).found
                if tag == "a" and "data-more" in attributes
            ]
            where = str(links[-1]["href"]) if links else ""
        assert where == ""
        wanted = sorted(range(1, 131), reverse=order is Order.NEWEST)
        assert results == wanted


def test_a_fragment_is_the_same_comments_without_the_page_around(app: Flask, reader: GuestClient) -> None:
    fill(reader, 3)
    fragment = reader.get(fragment="1").text
    assert ids(fragment) == ids(reader.get().text) == [1, 2, 3]
    assert "<html" not in fragment
    assert "<form" not in fragment


@pytest.mark.parametrize("door", ["/embed", "/thread"])
def test_further_replies_come_in_windows(reader: GuestClient, door: str) -> None:
    root = reader.posted("Root")
    replies = [reader.posted(f"Reply {number}", parent=str(root)) for number in range(8)]
    assert ids(reader.get(door).text) == [root, *replies[:5]]
    assert "Show 3 more replies" in Elements(reader.get(door).text).text
    page = reader.get(door, replies=str(root), after=str(replies[4]))
    assert ids(page.text) == [root, *replies[5:]]
    assert ids(reader.get(door, replies=str(root), after=str(replies[4]), fragment="1").text) == replies[5:]


def test_replies_of_another_thread_are_not_read_through_this_one(app: Flask, reader: GuestClient) -> None:
    elsewhere = GuestClient(app, f"{BLOG}/other").posted("Words from elsewhere")
    reader.posted()
    for more in ({"replies": str(elsewhere)}, {"comment": str(elsewhere)}, {"reply": str(elsewhere)}):
        for fragment in ({}, {"fragment": "1"}):
            assert "Words from elsewhere" not in reader.get(**more, **fragment).text


def test_a_comment_asked_for_is_on_the_page(app: Flask, reader: GuestClient) -> None:
    bulk(app, reader, 120)
    page = reader.get(comment="110")
    assert ids(page.text).count(110) == 1
    assert 110 not in ids(reader.get().text)


@pytest.mark.parametrize("door", ["/embed", "/thread"])
def test_an_anchor_of_the_articles_page_is_sent_on_to_its_comment(
    app: Flask, reader: GuestClient, door: str
) -> None:
    comment = reader.posted()
    elsewhere = GuestClient(app, f"{BLOG}/other").posted()
    for anchor in (f"comment-{comment}", f"#comment-c{comment}"):
        piece = reader.get(door, comment=anchor, fragment="1")
        assert (piece.status_code, piece.headers["Cache-Control"]) == (302, "no-store")
        assert parse_qs(urlsplit(piece.headers["Location"]).query)["comment"] == [str(comment)]
        assert reader.get(door, comment=anchor).headers["Location"].endswith(f"#comment-{comment}")
    for anchor in (f"comment-{elsewhere}", "comment-999", "isso-1"):
        assert reader.get(door, comment=anchor, fragment="1").status_code == 204, anchor
        assert "comment" not in reader.get(door, comment=anchor).headers["Location"].partition("url=")[2], (
            anchor
        )
    for anchor in ("comment-", "respond", "c\0", "isso-", "comment-" + "9" * 300):
        assert reader.get(door, comment=anchor).status_code == 400, anchor


def test_only_a_thread_with_imported_comments_asks_what_an_anchor_means(
    app: Flask, reader: GuestClient
) -> None:
    first, second = reader.posted("One"), reader.posted("Two")
    assert "data-imported" not in Elements(reader.get().text).all("main")[0]
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        comment = session.get_one(Comment, second)
        comment.transfer_key, comment.thread.imported = f"wordpress:blog.example:{first}", True
        comment.thread.version += 1
        session.commit()
    assert "data-imported" in Elements(reader.get().text).all("main")[0]
    assert reader.get(comment=f"comment-{first}").headers["Location"].endswith(f"#comment-{second}")


def test_an_answer_begins_with_whom_it_answers(reader: GuestClient) -> None:
    root = reader.posted("Question", name="Ben <b>")
    page = Elements(reader.get(reply=str(root)).text)
    assert page.all("input", name="parent")[0]["value"] == str(root)
    assert "Leave a Reply to Ben <b>" in page.text


def test_an_answer_to_what_is_gone_is_a_new_comment(app: Flask, reader: GuestClient) -> None:
    root = reader.posted("Question")
    decide(app, root, Status.TRASH)
    for gone in (str(root), "4711"):
        answer = reader.get(reply=gone)
        assert answer.status_code == 200
        assert Elements(answer.text).all("input", name="parent")[0]["value"] == ""


def test_a_page_of_its_own_names_the_article(app: Flask, reader: GuestClient) -> None:
    reader.posted("Hello", title="A title & more")
    page = Elements(reader.get("/thread").text)
    assert page.all("link", rel="canonical")[0]["href"] == ARTICLE
    assert "A title & more" in page.text


@pytest.mark.parametrize("door", ["/embed", "/thread"])
def test_a_page_is_the_same_for_everybody_but_for_its_form_token(
    app: Flask, reader: GuestClient, door: str
) -> None:
    fill(reader, 2)
    language = "de" if door == "/embed" else "*"  # a page that stands alone speaks the browser's
    pages = [
        reader.get(door),
        reader.get(door, headers={"Cookie": "a=b", "X-Author-Key": "k" * 40}),
        reader.get(
            door, headers={"Accept-Language": language, "User-Agent": "other", "X-Forwarded-For": "1.2.3.4"}
        ),
        reader.get(door, headers={"X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test"}),
    ]
    texts = {re.sub(r'name="token" value="[^"]*"', "", page.text) for page in pages}
    assert len(texts) == 1
    assert "evil.test" not in texts.pop()


def test_a_long_canonical_address_is_not_repeated_in_every_link(reader: GuestClient) -> None:
    fill(reader, 3)
    usual = len(reader.get().data)
    assert len(reader.get(canonical=f"{BLOG}/{'x' * 50_000}").data) < usual + 1_000


def test_another_host_name_changes_no_link(reader: GuestClient) -> None:
    reader.posted()
    for host in ("evil.test", "evil.test:99", "x@evil.test", "a b"):
        answer = reader.client.get(f"/embed?url={ARTICLE}", headers={"Host": host})
        assert answer.status_code < 500
        assert "evil.test" not in answer.text


def test_every_link_of_a_page_leads_somewhere(app: Flask, reader: GuestClient) -> None:
    root = reader.posted("https://a.test/")
    for number in range(7):
        reader.posted(f"Reply {number}", parent=str(root))
    for door in ("/embed", "/thread"):
        for tag, attributes in Elements(reader.get(door).text).found:
            where = attributes.get("href") or attributes.get("src") or attributes.get("action")
            if not where or not where.startswith("/"):
                continue
            method = "POST" if tag == "form" else "GET"
            answer = reader.client.open(where, method=method, base_url=BASE_URL, buffered=True)
            assert answer.status_code in {200, 302, 403}, where


def _samples(rule: Rule, name: str) -> list[Any]:
    if isinstance(rule._converters[name], IntegerConverter):
        return [1, 4711]
    return ["frame.css", "none"] if name == "name" else ["x"]


def _paths(app: Flask) -> list[str]:
    """Every address that answers a GET, with values that exist and that do not."""
    results: list[str] = []
    with app.test_request_context("/"):
        urls = app.url_map.bind("127.0.0.1")
        for rule in app.url_map.iter_rules():
            if "GET" in (rule.methods or ()):
                names = sorted(rule._converters)
                usual = {name: _samples(rule, name) for name in names}
                every = itertools.product(*(usual[name] for name in names))
                results.extend(urls.build(rule.endpoint, dict(zip(names, one, strict=True))) for one in every)
    return results


def test_asking_changes_nothing_however_often(app: Flask, reader: GuestClient) -> None:
    root = reader.posted("Root", author_key="k" * 40)
    reader.posted("Held", token=reader.token(age=0), author_key="k" * 40)
    asked = f"url={ARTICLE}"
    queries = ["", asked, f"url={BLOG}/never", f"{asked}&reply={root}", f"{asked}&comment={root}"]
    queries += [f"{asked}&replies={root}", f"{asked}&fragment=1", "text=Hello&token=x"]
    before = contents(app)
    for _ in range(2):
        for path, query, method in itertools.product(_paths(app), queries, ("GET", "HEAD")):
            answer = reader.client.open(
                path,
                method=method,
                query_string=query,
                base_url=BASE_URL,
                buffered=True,
                headers={"X-Author-Key": "k" * 40},
            )
            assert answer.status_code < 500, f"{path}?{query}"
    assert contents(app) == before


def test_our_own_pages_send_readers_nowhere_else(app: Flask, reader: GuestClient) -> None:
    reader.posted("Hello")
    for door in ("/embed", "/thread"):
        for tag, attributes in Elements(reader.get(door).text).found:
            if tag in {"script", "link", "img", "form", "iframe"}:
                where = attributes.get("src") or attributes.get("href") or attributes.get("action") or ""
                assert not urlsplit(where).netloc or where == ARTICLE, where


def test_every_depth_of_a_reply_has_an_indent_in_the_style_sheet(app: Flask, reader: GuestClient) -> None:
    css = (Path(commentsvc.__file__).parent / "static/frame.css").read_text()
    known = [int(depth) for depth in re.findall(r"\.indent-(\d+) ", css)]
    latest = reader.posted("A root")
    for number in range(max(known) + 1):
        latest = reader.posted(f"Reply {number}", parent=str(latest))
    indents = [int(depth) for depth in re.findall(r'class="reply indent-(\d+)"', reader.get().text)]
    assert indents == [*known, max(known)]


@pytest.mark.parametrize("door", ["/embed", "/thread"])
def test_a_page_is_three_queries(app: Flask, reader: GuestClient, door: str) -> None:
    reader.posted("An answer", parent=str(reader.posted("A question")))
    asked: list[str] = []
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert Flask.wsgi_app(
        app, EnvironBuilder(door, query_string={"url": ARTICLE}).get_environ(), lambda *_: None
    )  # type: ignore[arg-type, return-value]
    assert [one.split()[0] for one in asked if one != "BEGIN"] == [
        "SELECT",  # the site
        "SELECT",  # the thread
        "WITH",  # its comments
    ], asked


@pytest.mark.parametrize(
    ("keys", "named", "words"),
    [
        (("GITHUB",), ["GitHub"], "Fill in your details below or log in:"),
        (("GITHUB", "GOOGLE"), [], "Fill in your details below or click an icon to log in:"),
    ],
)
def test_a_single_provider_shows_its_name(
    tmp_path: Path, settings: Settings, keys: tuple[str, ...], named: list[str], words: str
) -> None:
    clients = {f"COMMENTSVC_{key}_CLIENT_{part}": "x" for key in keys for part in ("ID", "SECRET")}
    more = {"COMMENTSVC_DATABASE_URL": settings.database_url, **clients}
    app = create_app(Settings.from_env(environment(tmp_path / "with providers", **more)))
    try:
        add_site(app)
        page = GuestClient(app).get("/embed").text
        assert re.findall(r"</svg>\s*<bdi>(.*?)</bdi></button>", page) == named
        assert words in page
        assert 'aria-label="Log in with GitHub"' in page
    finally:
        dispose(app)


def test_what_is_new_is_told_to_who_remembers_a_visit_and_stores_nothing(app: Flask) -> None:
    add_site(app)
    key = "a-key-that-only-this-browser-holds"
    reader, other = GuestClient(app), GuestClient(app)
    mine = reader.posted("A question", author_key=key)
    first = reader.own(key)
    assert first["news"] is None
    before = [int(at) - 3_600_000 for at in first["visit"]]
    answer = other.posted(
        "<b>An answer</b>", name="<i>Ben</i>", author_key="another-key-of-another-browser", parent=mine
    )
    stored = contents(app)
    own = reader.get("/embed/own", {"X-Author-Key": key}, visit=",".join(map(str, before))).json or {}
    assert own["news"]["comments"] == [answer]
    line = Elements(own["news"]["html"])
    assert line.text == "1 answer to you"
    assert [link["href"] for link in line.all("a")] == [f"#comment-{answer}"]
    assert own["visit"][0] == before[1]
    stranger = reader.get("/embed/own", visit=",".join(map(str, before))).json or {}
    assert Elements(stranger["news"]["html"]).text == "2 new since your last visit"
    assert contents(app) == stored
