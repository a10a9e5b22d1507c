"""Posting a comment: with script and without, and everything that can be wrong with what arrives."""

from __future__ import annotations

import io
import itertools
import json as json_module
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain.moderation import decisions
from commentsvc.integrations import migrations
from commentsvc.integrations.rate_limits import Limiter
from commentsvc.models import Comment, FieldRule, Policy, Status
from commentsvc.serving.request_bodies import BODY_LARGEST
from commentsvc.web.context import services_of
from tests.conftest import BASE_URL, BLOG, dispose, environment
from tests.support.guest_client import ARTICLE, DETAILS, JSON, Elements, GuestClient, add_site, contents
from tests.support.time_limit import within

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
KEY = "a-key-that-only-this-browser-holds"


@pytest.fixture
def reader(app: Flask) -> GuestClient:
    add_site(app)
    return GuestClient(app)


def decide(app: Flask, comment_id: int, status: Status) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        decisions.decide(session, session.get_one(Comment, comment_id), status)
        session.commit()


def errors(answer: TestResponse) -> dict[str, str]:
    return dict((answer.json or {})["errors"])


@both_engines
def test_a_script_gets_the_comment_as_it_stands_in_the_list(app: Flask) -> None:
    add_site(app)
    answer = GuestClient(app).post("**Hello**")
    assert answer.status_code == 200
    body = answer.json or {}
    assert set(body) == {"id", "held", "html", "count", "mine", "note", "notice", "receipt"}
    assert (body["held"], body["count"]) == (False, 1)
    piece = Elements(body["html"])
    assert piece.all("article", id=f"comment-{body['id']}")
    assert piece.all("strong")
    assert "Anna" in piece.text
    (conversation,) = piece.all("li", class_="conversation")
    assert conversation["data-root"] == str(body["id"])


def test_an_answer_comes_back_as_an_answer(reader: GuestClient) -> None:
    root = reader.posted("Question")
    body = reader.post("Answer", parent=str(root)).json or {}
    item = Elements(body["html"]).all("li", class_="reply")[0]
    assert (item["data-parent"], item["data-root"]) == (str(root), str(root))
    assert body["count"] == 2


@pytest.mark.parametrize("door", ["/embed", "/thread"])
def test_a_browser_without_script_is_led_to_its_comment(reader: GuestClient, door: str) -> None:
    answer = reader.post("Hello", door=door, json=False)
    assert answer.status_code == 303
    where = urlsplit(answer.headers["Location"])
    assert re.fullmatch(rf"{door}/posted/[A-Za-z0-9]{{24}}", where.path)
    assert where.fragment == "comment-1"
    assert parse_qs(where.query) == {"url": [ARTICLE]}
    page = reader.client.get(answer.headers["Location"], base_url=BASE_URL)
    assert "comment-1" in Elements(page.text).ids()
    assert "Your comment is posted." in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert 'class="notice"' not in reader.get(door).text


@pytest.mark.parametrize("door", ["/embed", "/thread"])
def test_a_held_comment_is_shown_to_its_author_alone(app: Flask, door: str) -> None:
    add_site(app, policy=Policy.HOLD_FIRST)
    reader = GuestClient(app)
    answer = reader.post("Hold this", door=door, json=False)
    assert answer.status_code == 303
    own = reader.client.get(answer.headers["Location"], base_url=BASE_URL)
    assert "Hold this" in own.text
    assert "Your comment is awaiting moderation." in own.text
    assert re.findall(r'class="notice"[^>]*>([^<]*)', own.text) == [
        "Keep this link to edit or delete your comment: "
    ]
    assert ">No comments yet<" not in own.text
    assert own.headers["Cache-Control"] == "no-store"
    assert "Hold this" not in reader.get(door).text


def test_a_receipt_shows_a_held_comment_in_its_thread_only(app: Flask) -> None:
    add_site(app, policy=Policy.HOLD_FIRST)
    reader, other = GuestClient(app), GuestClient(app, f"{BLOG}/other")
    path = urlsplit(reader.post("Hold this", json=False).headers["Location"]).path
    other.posted("Hold that")
    assert "Hold this" in reader.get(path).text
    assert "Hold" not in other.get(path).text
    assert reader.get(path[:-1]).status_code == 404


def test_a_script_is_told_that_a_comment_is_held(app: Flask) -> None:
    add_site(app, policy=Policy.HOLD_ALL)
    body = GuestClient(app).post("Hold this", author_key=KEY).json or {}
    assert (body["held"], body["count"]) == (True, 0)
    assert "Your comment is awaiting moderation." in body["html"]


def test_a_browser_finds_its_held_comments_again_by_its_key(app: Flask) -> None:
    add_site(app, policy=Policy.HOLD_ALL)
    reader = GuestClient(app)
    mine = reader.posted("Mine", author_key=KEY)
    reader.posted("Somebody's", name="Ben", author_key=KEY[::-1])
    reader.posted("Nobody's", name="Cleo")
    held = reader.own(KEY)["held"]
    assert [one["id"] for one in held] == [mine]
    assert "Mine" in held[0]["html"]
    assert reader.own()["held"] == []
    assert GuestClient(app, f"{BLOG}/other").own(KEY)["held"] == []


def test_spam_looks_to_its_sender_like_waiting_and_to_nobody_else(app: Flask, reader: GuestClient) -> None:
    body = reader.post("Buy this", subject="I am a robot", author_key=KEY).json or {}
    assert body["held"]
    assert contents(app)["comment"][0]
    assert "Buy this" not in reader.get().text
    assert reader.own(KEY)["held"] == []


def test_whoever_is_faster_than_reading_is_held(reader: GuestClient) -> None:
    assert (reader.post(token=reader.token(age=0)).json or {})["held"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"text": ""}, {"text": "Please enter a comment"}),
        ({"text": " \n\u200b"}, {"text": "Please enter a comment"}),
        ({"email": ""}, {"email": "Please enter your email address here"}),
        ({"email": "anna"}, {"email": "Invalid email address"}),
        ({"name": "\u200b"}, {"name": "Please enter your name here"}),
        ({"name": "a" * 81}, {"name": "Please use at most 80 characters"}),
        ({"website": "javascript:alert(1)"}, {"website": "Invalid website address"}),
        (
            {"text": "", "name": "", "email": "x", "website": "y"},
            {
                "text": "Please enter a comment",
                "name": "Please enter your name here",
                "email": "Invalid email address",
                "website": "Invalid website address",
            },
        ),
        (
            {"text": "x" * 10_001},
            {"text": "This comment has 10,001 characters; the limit is 10,000. Please shorten it."},
        ),
    ],
)
def test_every_fault_is_named_beside_its_field(
    app: Flask, reader: GuestClient, fields: dict[str, str], expected: dict[str, str]
) -> None:
    before = contents(app)
    answer = reader.send(reader.form(token=reader.token(), **fields))
    assert answer.status_code == 422
    assert errors(answer) == expected
    assert contents(app) == before


@pytest.mark.parametrize("door", ["/embed", "/thread"])
def test_without_script_everything_typed_stays(app: Flask, reader: GuestClient, door: str) -> None:
    root = reader.posted("Question")
    before = contents(app)
    answer = reader.post(
        "A long </textarea> thought", door=door, json=False, email="wrong", parent=str(root), title="T"
    )
    assert answer.status_code == 422
    page = Elements(answer.text)
    assert "A long </textarea> thought" in page.text
    assert page.all("input", name="email")[0]["value"] == "wrong"
    assert page.all("input", name="name")[0]["value"] == "Anna"
    assert page.all("input", name="website")[0]["value"] == DETAILS["website"]
    assert page.all("input", name="parent")[0]["value"] == str(root)
    assert page.all("input", name="title")[0]["value"] == "T"
    assert page.all("input", name="email")[0]["aria-invalid"] == "true"
    assert "Invalid email address" in page.text
    assert contents(app) == before


def test_what_the_site_does_not_ask_for_need_not_come(app: Flask) -> None:
    add_site(app, name_field=FieldRule.OFF, email_field=FieldRule.OPTIONAL, website_field=FieldRule.OFF)
    reader = GuestClient(app)
    form = {**reader.asked, "text": "Hello", "token": reader.token()}
    assert reader.send(form).status_code == 200
    assert "Anonymous" in reader.get().text


def test_the_same_again_is_a_duplicate(app: Flask, reader: GuestClient) -> None:
    reader.posted("+1")
    before = contents(app)
    answer = reader.post("+1")
    assert answer.status_code == 409
    assert errors(answer) == {
        "form": "Duplicate comment detected; it looks as though you've already said that!"
    }
    assert contents(app) == before


def test_a_retry_with_the_same_key_gets_the_first_answer_without_its_receipt(
    app: Flask, reader: GuestClient
) -> None:
    """Anybody could have seen the key of the form; the receipt's token is stored nowhere."""
    first = reader.post("Hello", key="k" * 32, author_key=KEY).json or {}
    before = contents(app)
    for other in ("", KEY[::-1]):
        again = reader.post("Hello", key="k" * 32, author_key=other)
        assert again.status_code == 200
        assert again.json == {
            **{name: value for name, value in first.items() if name != "receipt"},
            "note": '<p class="posted">Posted. Thank you. </p>\n',
        }
    assert contents(app) == before
    assert reader.post("Hello", key="k" * 32, json=False).status_code == 303
    assert contents(app) == before


def test_a_closed_thread_says_so_and_keeps_the_text(app: Flask) -> None:
    add_site(app, close_after_days=7)
    reader = GuestClient(app)
    reader.posted("In time")
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE thread SET created_at = '2020-01-01 00:00:00.000000'")
    before = contents(app)
    answer = reader.post("Too late")
    assert answer.status_code == 403
    assert errors(answer) == {"form": "Comments closed after 7 days."}
    page = reader.post("Too late", json=False)
    assert page.status_code == 403
    assert "Comments closed after 7 days." in page.text
    assert contents(app) == before


def test_a_closed_site_shows_no_form(app: Flask) -> None:
    add_site(app, policy=Policy.CLOSED)
    reader = GuestClient(app)
    assert Elements(reader.get().text).all("textarea") == []
    assert reader.post("Hello", token=reader.token()).status_code == 403
    assert contents(app)["thread"] == []


def test_an_unknown_website_is_refused(app: Flask, reader: GuestClient) -> None:
    before = contents(app)
    answer = reader.send(reader.form(token=reader.token(), url="https://other.example/a"))
    assert answer.status_code == 404
    assert answer.json == {"message": "Comments are not set up for https://other.example."}
    assert contents(app) == before


NO_PARENTS = ("abc", "-1", "1.0", "1e3", "0x1", " 1", "0", "99999", "9" * 18, "9" * 19, "9" * 5000,
              "\u0661", "1\x00", "1;DROP TABLE comment", "\ufffd")  # fmt: skip


@both_engines
def test_an_answer_to_what_is_no_comment_is_refused(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    before, token = contents(app), reader.token()
    for parent in NO_PARENTS:
        answer = reader.post("Hello", parent=parent, token=token)
        assert answer.status_code == 404, parent
        assert errors(answer) == {"form": "The comment that you are replying to no longer exists."}
        page = reader.post("Hello", parent=parent, json=False, token=token)
        assert page.status_code == 404
        assert "Hello" in page.text
    assert contents(app) == before


def test_an_answer_to_a_comment_of_elsewhere_is_refused(app: Flask, reader: GuestClient) -> None:
    add_site(app, "Other", "https://other.example")
    elsewhere = [
        GuestClient(app, f"{BLOG}/other").posted("Words from elsewhere"),
        GuestClient(app, "https://other.example/").posted("Words from elsewhere"),
    ]
    before = contents(app)
    for parent in elsewhere:
        answer = reader.post("Hello", parent=str(parent), json=False)
        assert answer.status_code == 404
        assert "Words from elsewhere" not in answer.text
        assert "Words from elsewhere" not in reader.get(reply=str(parent)).text
    assert contents(app) == before


@pytest.mark.parametrize("status", [Status.HELD, Status.SPAM, Status.TRASH])
def test_an_answer_to_a_comment_nobody_sees_is_refused(
    app: Flask, reader: GuestClient, status: Status
) -> None:
    root = reader.posted("Question")
    decide(app, root, status)
    before = contents(app)
    assert reader.post("Hello", parent=str(root)).status_code == 404
    assert contents(app) == before


def test_too_many_posts_are_told_when_to_come_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("limited")
    app = create_app(Settings.from_env(environment(folder, COMMENTSVC_POST_LIMIT="3/hour")))
    with app.app_context():
        migrations.bring_up_to_date()
    add_site(app)
    reader = GuestClient(app)
    for number in range(3):
        reader.posted(f"Comment {number}")
    before = contents(app)
    for answer in (reader.post("Too much"), reader.post("Too much", json=False)):
        assert answer.status_code == 429
        assert 3000 < int(answer.headers["Retry-After"]) <= 3600
        assert "That was a lot in a short time." in answer.text
    assert contents(app) == before
    reader.client.environ_base["REMOTE_ADDR"] = "198.51.100.1"
    assert reader.post("From elsewhere").status_code == 200
    dispose(app)


HOSTILE = {
    "no fields": {},
    "only a text": {"text": "Hello"},
    "a json body": {"data": b'{"text": "x"}', "content_type": "application/json"},
    "a json list": {"data": b"[1, 2]", "content_type": "application/json"},
    "a json number": {"data": b"7", "content_type": "application/json"},
    "broken json": {"data": b"{", "content_type": "application/json"},
    "plain text": {"data": b"text=Hello", "content_type": "text/plain"},
    "xml": {"data": b"<?xml version='1.0'?><x/>", "content_type": "text/xml"},
    "an unknown type": {"data": b"\x00\xff", "content_type": "application/x-what"},
    "no type": {"data": b"text=Hello", "content_type": ""},
    "a broken type": {"data": b"text=Hello", "content_type": ";;;;=\x7f"},
    "a multipart body with no boundary": {"data": b"--x\r\n", "content_type": "multipart/form-data"},
    "a multipart body cut short": {
        "data": b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\nHel',
        "content_type": "multipart/form-data; boundary=x",
    },
    "a multipart body of nonsense": {
        "data": b"\x00" * 2000,
        "content_type": "multipart/form-data; boundary=x",
    },
    "a multipart body of many parts": {
        "data": b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 3000 + b"--x--",
        "content_type": "multipart/form-data; boundary=x",
    },
    "a thousand fields": {"data": "&".join(f"f{n}=1" for n in range(20_000))},
    "an unheard-of charset": {
        "data": b"text=Hello",
        "content_type": "application/x-www-form-urlencoded; charset=utf-99",
    },
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_form_of_ours_is_refused(app: Flask, reader: GuestClient, kind: str) -> None:
    before = contents(app)
    more: dict[str, Any] = dict(HOSTILE[kind])
    data = more.pop("data", more if "content_type" not in more else None)
    more = {name: value for name, value in more.items() if name == "content_type"}
    for door, json in itertools.product(("/embed", "/thread"), (True, False)):
        answer = reader.send(data, door=door, json=json, **more)
        assert 400 <= answer.status_code < 500
    assert contents(app) == before


def test_a_json_body_does_not_stand_in_for_a_form(app: Flask, reader: GuestClient) -> None:

    before = contents(app)
    body = json_module.dumps(reader.form(token=reader.token()))
    assert reader.send(body, content_type="application/json").status_code == 400
    assert contents(app) == before


@pytest.mark.parametrize(
    "name", ["text", "name", "email", "token", "url", "parent", "key", "title", "author_key"]
)
def test_a_file_in_place_of_a_field_is_a_missing_field(app: Flask, reader: GuestClient, name: str) -> None:
    form = reader.form(token=reader.token(), parent="", key="", title="", author_key="")
    before = contents(app)
    form[name] = (io.BytesIO(b"Hello from a file"), "file.txt")
    answer = reader.send(form, content_type="multipart/form-data")
    if name in {"text", "name", "email", "token", "url"}:
        assert 400 <= answer.status_code < 500
        assert contents(app) == before
    else:
        assert answer.status_code == 200
    assert "Hello from a file" not in answer.text


def test_the_first_of_repeated_fields_counts(app: Flask, reader: GuestClient) -> None:
    token = reader.token()
    form = reader.form(
        text=["First words", "Second words"],
        token=[token, "x"],
        url=[ARTICLE, "https://other.example/"],
        name=["Anna", "Ben"],
        parent=["", "4711"],
    )
    answer = reader.send(form)
    assert answer.status_code == 200
    assert "First words" in answer.text
    assert "Second" not in answer.text
    assert "Anna" in answer.text


FIELDS = ("url", "canonical", "id", "title", "parent", "order", "token", "key", "author_key", "subject", "text",
          "name", "email", "website", "identity", "csrf_token")  # fmt: skip
NULS = ("\x00", "Hello\x00World", "\x00" * 3000, "\ufffd", "\ud800".encode("utf-8", "surrogatepass"))


@both_engines
def test_a_nul_in_a_field_does_no_harm(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    token = reader.token()
    for name, value in itertools.product(FIELDS, NULS):
        answer = reader.send(reader.form(f"About {name} {value!r}", token=token) | {name: value})
        assert answer.status_code < 500, (name, value)
        assert "\x00" not in answer.text, (name, value)
    stored = itertools.chain.from_iterable(contents(app)["comment"] + contents(app)["thread"])
    assert not [one for one in stored if isinstance(one, str) and "\x00" in one]


BROKEN = (
    b"text=%ff%fe%fd",
    b"text=\xff\xfe",
    b"name=%c3%28",
    b"text=%ed%a0%80",
    b"text=%f8%88%80%80%80",
    b"website=https://%ff.example",
    b"email=%ff@mail.example",
    b"id=%ff",
    b"title=%ff",
    b"key=%ff",
    b"text=%",
    b"text=%zz%u1234",
)


@both_engines
def test_bytes_that_are_no_text_do_no_harm(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    token = reader.token()
    for body in BROKEN:
        usual = reader.form(f"About {body!r}", token=token)
        usual.pop(body.partition(b"=")[0].decode(), None)
        answer = reader.send(
            urlencode(usual).encode() + b"&" + body, content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code < 500, body


def test_a_comment_of_a_megabyte_is_refused_quickly(app: Flask, reader: GuestClient) -> None:
    before = contents(app)
    token = reader.token()
    with within(5):
        for json in (True, False):
            answer = reader.send(reader.form("x" * 1_000_000, token=token), json=json)
            assert answer.status_code == 413
            assert "too much text" in answer.text
    assert contents(app) == before


@pytest.mark.parametrize("filling", ["x", "a.", "\u0301\u0316", "[", "https://", "<a ", "@", " "])
def test_a_field_as_long_as_a_body_may_be_is_answered_soon(
    app: Flask, reader: GuestClient, filling: str
) -> None:
    token = reader.token()
    for field in FIELDS:
        form = reader.form(token=token) | {field: filling * (400_000 // len(filling.encode()))}
        with within(5):
            answer = reader.send(form, content_type="multipart/form-data")
        assert answer.status_code < 500, field


def test_a_body_beyond_the_limit_is_refused_unread(reader: GuestClient) -> None:
    claimed = {"CONTENT_LENGTH": str(BODY_LARGEST + 1)}
    answer = reader.send(b"--x", content_type="multipart/form-data; boundary=x", environ_overrides=claimed)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/embed/comments", "/thread/comments", "/embed/preview"])
def test_a_body_of_unknown_length_is_refused(app: Flask, path: str) -> None:
    before = contents(app)
    answer = app.test_client().post(
        path,
        base_url=BASE_URL,
        headers={"Origin": BASE_URL, "Transfer-Encoding": "chunked", **JSON},
        environ_overrides={
            "wsgi.input": io.BytesIO(b"text=x"),
            "wsgi.input_terminated": True,
            "CONTENT_LENGTH": "",
        },
    )
    assert answer.status_code == 411
    assert answer.json == {"message": "Please send this with a Content-Length."}
    assert contents(app) == before


def test_no_other_method_is_taken(app: Flask, reader: GuestClient) -> None:
    reader.posted()
    before = contents(app)
    paths = ("/embed/comments", "/embed", "/thread", "/counts", "/comment/1")
    for path, method in itertools.product(paths, ("PUT", "DELETE", "PATCH")):
        answer = reader.client.open(path, method=method, base_url=BASE_URL, headers={"Origin": BASE_URL})
        assert answer.status_code == 405, path
        assert "GET" in answer.headers["Allow"] or "POST" in answer.headers["Allow"]
    assert contents(app) == before


def test_asking_for_another_method_in_words_changes_nothing(app: Flask, reader: GuestClient) -> None:
    first = reader.posted()
    before = contents(app)
    reader.send({"_method": "DELETE"}, headers={"X-HTTP-Method-Override": "DELETE"})
    reader.get(f"/comment/{first}", _method="DELETE")
    assert contents(app) == before


def preview(app: Flask, text: str) -> TestResponse:
    return app.test_client().post(
        "/embed/preview", base_url=BASE_URL, data={"text": text}, headers={"Origin": BASE_URL, **JSON}
    )


def test_a_preview_is_what_the_comment_would_be_and_is_not_kept(app: Flask) -> None:
    before = contents(app)
    answer = preview(app, "**Hello** <script>")
    assert answer.json == {"html": "<p><strong>Hello</strong> &lt;script&gt;</p>\n"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert contents(app) == before


@pytest.mark.parametrize("text", ["", "x" * 10_001])
def test_a_preview_of_what_is_no_comment_says_why(app: Flask, text: str) -> None:
    answer = preview(app, text)
    assert answer.status_code == 422
    assert (answer.json or {})["message"]


@pytest.mark.parametrize("door", ["/embed", "/thread"])
class TestAPreviewWithoutScript:
    def ask(self, reader: GuestClient, door: str, **typed: str) -> TestResponse:
        data = {"url": ARTICLE, "name": "Grace", "email": "g@good.example", **typed}
        return reader.client.post(
            f"{door}/preview", base_url=BASE_URL, data=data, headers={"Origin": BASE_URL}
        )

    def test_shows_it_with_all_that_was_typed(self, app: Flask, reader: GuestClient, door: str) -> None:
        parent = reader.posted("First")
        before = contents(app)
        answer = self.ask(reader, door, text="**Hello** <script>", parent=str(parent))
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert "<p><strong>Hello</strong> &lt;script&gt;</p>" in answer.text
        assert "**Hello** &lt;script&gt;</textarea>" in answer.text
        assert 'value="Grace"' in answer.text
        assert f'name="parent" value="{parent}"' in answer.text
        assert contents(app) == before

    def test_of_nothing_says_so_beside_the_text(self, reader: GuestClient, door: str) -> None:
        answer = self.ask(reader, door, text=" ")
        assert answer.status_code == 422
        assert "Please enter a comment" in answer.text
        assert 'value="Grace"' in answer.text

    def test_too_many_keep_the_text(self, app: Flask, reader: GuestClient, door: str) -> None:
        services_of(app).limiters["previews"] = Limiter("1/hour")
        assert self.ask(reader, door, text="Words").status_code == 200
        answer = self.ask(reader, door, text="More words")
        assert answer.status_code == 429
        assert "That was a lot in a short time." in answer.text
        assert "More words</textarea>" in answer.text

    def test_that_no_page_of_ours_asked_for_is_refused(self, reader: GuestClient, door: str) -> None:
        data = {"url": ARTICLE, "text": "Words"}
        answer = reader.client.post(
            f"{door}/preview", base_url=BASE_URL, data=data, headers={"Origin": "https://evil.example"}
        )
        assert answer.status_code == 403


def test_what_typing_the_owners_address_brings_is_nothing(app: Flask) -> None:
    add_site(app, policy=Policy.HOLD_FIRST)
    reader = GuestClient(app)
    known = reader.posted("I am known", author_key=KEY)
    decide(app, known, Status.APPROVED)
    assert not (reader.post("Known by my key", author_key=KEY).json or {})["held"]
    assert (reader.post("Known by my address?").json or {})["held"]
    body = (
        reader.post("The owner?", name="Site owner", website=BLOG, identity="owner", role="owner").json or {}
    )
    assert body["held"]
    assert not Elements(body["html"]).all("span", class_="badge")


def test_a_client_cannot_set_what_it_is_not_asked_for(app: Flask, reader: GuestClient) -> None:
    reader.posted(
        "Hello",
        id="",
        status="approved",
        role="owner",
        commenter_id="1",
        created_at="2001-01-01",
        html="<b>x</b>",
        site_id="7",
        thread_id="7",
        shown="1",
        kind="pingback",
    )
    with app.app_context(), Session(db.engine) as session:
        comment = session.get_one(Comment, 1)
        assert (comment.role, comment.commenter_id, comment.html) == (None, None, "<p>Hello</p>\n")
        assert comment.created_at.year > 2024
        begin_write(session)
        session.execute(update(Comment).values(status=Status.HELD))
        session.rollback()
