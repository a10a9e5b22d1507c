"""What every answer says of itself, and what no public answer gives away."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from commentsvc.db.session import begin_write, db
from commentsvc.domain.moderation import decisions
from commentsvc.models import Comment, Likes, Site, Status
from commentsvc.web import static_files
from tests.conftest import BASE_URL, BLOG
from tests.support.guest_client import ARTICLE, DETAILS, GuestClient, add_site, contents

OTHER = "https://www.blog.example"


@pytest.fixture
def reader(app: Flask) -> GuestClient:
    add_site(app)
    reader = GuestClient(app)
    reader.posted("Hello")
    return reader


def policy(answer: TestResponse) -> dict[str, str]:
    directives = answer.headers["Content-Security-Policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


FIRST_PAINT = digest((static_files.FOLDER / "frame/first_paint.js").read_text())

PLACES = {
    "a frame": ("/embed", 200),
    "a page": ("/thread", 200),
    "own": ("/embed/own", 200),
    "counts": ("/counts", 200),
    "health": ("/healthz", 200),
    "a comment": ("/comment/1", 302),
    "no comment": ("/comment/99", 404),
    "nowhere": ("/nowhere", 404),
    "no file": ("/static/x/none.js", 404),
    "a wrong method": ("/embed/comments", 405),
    "the admin view": ("/admin", None),
    "a sign-in link": ("/admin/sign-in/x", None),
}


def test_every_answer_carries_the_policy(reader: GuestClient) -> None:
    for place, (path, status) in PLACES.items():
        answer = reader.get(path)
        assert status is None or answer.status_code == status, place
        result = policy(answer)
        assert result["default-src"] == "'none'", place
        ours = f"'self' 'sha256-{FIRST_PAINT}'" if place in {"a frame", "a page"} else "'self'"
        assert result["script-src"] == ours, place
        assert result["base-uri"] == "'none'", place
        assert result["form-action"].startswith("'self'"), place
        assert "unsafe" not in answer.headers["Content-Security-Policy"], place
        assert answer.headers["X-Content-Type-Options"] == "nosniff", place
        assert answer.headers["Referrer-Policy"] in {"strict-origin", "no-referrer", "same-origin"}, place
        assert answer.headers.get("Cache-Control"), place


def test_a_frame_has_its_styles_in_itself_and_its_policy_allows_no_others(app: Flask) -> None:
    site = add_site(app)
    reader = GuestClient(app)
    for likes, names in ((Likes.OFF, ["frame.css"]), (Likes.LIKES, ["frame.css", "frame/likes.css"])):
        with app.app_context(), Session(db.engine) as session:
            begin_write(session)
            session.get_one(Site, site).likes = likes
            session.commit()
        answer = reader.get()
        texts = re.findall("<style>(.*?)</style>", answer.text, re.DOTALL)
        assert texts == [(static_files.FOLDER / name).read_text() for name in names]
        assert policy(answer)["style-src"] == " ".join(
            ["'self'", *(f"'sha256-{digest(text)}'" for text in texts)]
        )
        assert re.findall(r'<link rel="stylesheet"(?![^>]* disabled>)', answer.text) == []
    standalone = reader.get("/thread")
    assert "<style>" not in standalone.text
    assert policy(standalone)["style-src"] == "'self'"


def test_a_fault_on_our_side_carries_the_policy_too(
    app: Flask, reader: GuestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise ZeroDivisionError("the secret reason")

    monkeypatch.setattr("commentsvc.domain.reading.thread_pages.page", broken)
    answer = reader.get()
    assert answer.status_code == 500
    assert policy(answer)["default-src"] == "'none'"
    assert "secret reason" not in answer.text
    assert "ZeroDivisionError" not in answer.text


def test_nobody_may_frame_anything_but_a_thread(reader: GuestClient) -> None:
    for place, (path, _) in PLACES.items():
        if place != "a frame":
            assert policy(reader.get(path))["frame-ancestors"] == "'none'", place


def test_only_a_sites_own_pages_may_frame_its_threads(app: Flask) -> None:
    add_site(app, origin=BLOG)
    add_site(app, "Other", OTHER)
    assert policy(GuestClient(app).get())["frame-ancestors"] == BLOG
    assert policy(GuestClient(app, f"{OTHER}/a").get())["frame-ancestors"] == OTHER


@pytest.mark.parametrize("json", [True, False])
def test_a_refused_post_may_be_framed_where_its_form_was(reader: GuestClient, json: bool) -> None:
    answer = reader.post("", json=json)
    assert answer.status_code == 422
    assert policy(answer)["frame-ancestors"] == ("'none'" if json else BLOG)


def test_a_frame_can_be_shown_by_a_page_that_isolates_itself(reader: GuestClient) -> None:
    headers = reader.get().headers
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Cross-Origin-Opener-Policy" not in headers


def test_no_public_answer_sets_a_cookie(reader: GuestClient) -> None:
    for place, (path, _) in PLACES.items():
        if "admin" not in place and "sign" not in place:
            assert "Set-Cookie" not in reader.get(path).headers, place


def test_no_post_sets_a_cookie(reader: GuestClient) -> None:
    for answer in (reader.post("One"), reader.post("Two", json=False), reader.post("")):
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/embed", "/thread"])
def test_what_is_everybodys_may_be_kept_and_what_is_one_persons_not(reader: GuestClient, path: str) -> None:
    assert reader.get(path).headers["Cache-Control"] == "public, no-cache"
    assert reader.get(path, fragment="1").headers["Cache-Control"] == "public, no-cache"
    for personal in ({"reply": "1"}, {"posted": "1"}):
        assert reader.get(path, **personal).headers["Cache-Control"] == "no-store"
    assert reader.get("/embed/own").headers["Cache-Control"] == "no-store"
    assert reader.post("", json=False).headers["Cache-Control"] == "no-store"


def test_no_origin_may_read_what_is_one_persons(reader: GuestClient) -> None:
    for answer in (reader.get(), reader.get("/embed/own"), reader.post("x"), reader.get("/thread")):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_file_under_its_present_name_may_be_kept_for_ever(reader: GuestClient) -> None:
    answer = reader.get(static_files.url("frame.css"))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.content_type.startswith("text/css")
    old = reader.get("/static/000000000000/frame.css")
    assert old.status_code == 200
    assert "immutable" not in old.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/x/../config.py",
        "/static/x/..%2fconfig.py",
        "/static/x/%2e%2e/config.py",
        "/static/x//etc/passwd",
        "/static/x/%2fetc/passwd",
        "/static/x/frame.css%00.js",
        "/static/x/%00",
        "/static/x/..%5cconfig.py",
        "/static/../../wsgi.py",
        "/static/x/" + "a/" * 2000,
    ],
)
def test_no_file_but_ours_is_served(reader: GuestClient, path: str) -> None:
    answer = reader.client.get(path, base_url=BASE_URL, follow_redirects=True)
    assert answer.status_code == 404
    assert b"import" not in answer.data


SECRETS = ("very-private-address", "203.0.113", "k-e-y-o-f-t-h-i-s-b-r-o-w-s-e-r", "zq8fingerprint")


def test_no_public_answer_gives_away_what_was_told_in_confidence(app: Flask) -> None:
    add_site(app)
    reader = GuestClient(app)
    private = {
        "email": "very-private-address@mail.example",
        "author_key": "k-e-y-o-f-t-h-i-s-b-r-o-w-s-e-r",
    }
    reader.client.environ_base["REMOTE_ADDR"] = "203.0.113.77"
    answers = [reader.post("Seen", key="zq8fingerprint", **private)]
    first = int((answers[0].json or {})["id"])
    answers += [reader.post("Seen by some", parent=str(first), json=False, **private)]
    held = reader.posted("Not seen", token=reader.token(age=0), **private)
    answers += [
        reader.post("", **private),
        reader.post("Seen", **private),
        reader.get(),
        reader.get("/thread"),
        reader.get(comment=str(first)),
        reader.get(reply=str(first)),
        reader.get(fragment="1"),
        reader.get(replies=str(first)),
        reader.get(replies=str(first), fragment="1"),
        reader.get("/embed/own", headers={"X-Author-Key": private["author_key"]}),
        reader.get(f"/comment/{first}"),
        reader.get(f"/comment/{held}"),
        reader.client.get("/counts", query_string={"url": ARTICLE}),
    ]
    with app.app_context(), Session(db.engine) as session:
        stored = session.scalars(select(Comment)).all()
        hashes = {one.author_key_hash for one in stored} | {one.network_hash for one in stored}
        hashes |= {one.digest for one in stored}
    assert len(stored) == 3
    assert None not in hashes
    assert len(hashes) == 5
    for answer in answers:
        everything = answer.data.decode() + str(answer.headers)
        for secret in (*SECRETS, *map(str, hashes)):
            assert secret not in everything, answer.request.url


def test_what_was_refused_is_shown_again_to_its_writer_alone(reader: GuestClient) -> None:
    answer = reader.post("", json=False, email="very-private-address@mail.example")
    assert "very-private-address" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "very-private-address" not in reader.get().text


@pytest.mark.parametrize("status", [Status.HELD, Status.SPAM, Status.TRASH])
def test_what_is_not_approved_is_in_no_public_answer(app: Flask, status: Status) -> None:
    add_site(app)
    reader = GuestClient(app)
    first = reader.posted("Unspeakable words", name="Unspeakable name", website="https://unspeakable.example")
    reader.posted("An answer", parent=str(first))
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        decisions.decide(session, session.get_one(Comment, first), status)
        session.commit()
    for answer in (
        reader.get(),
        reader.get("/thread"),
        reader.get(comment=str(first)),
        reader.get(reply=str(first)),
        reader.get(replies=str(first), fragment="1"),
        reader.get("/embed/own"),
        reader.post("", parent=str(first), json=False),
    ):
        assert not re.search("unspeakable", answer.text, re.IGNORECASE), answer.request.url
    assert "An answer" in reader.get().text
    assert len(contents(app)["comment"]) == 2
    assert DETAILS["name"] in reader.get().text
