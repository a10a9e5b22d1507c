"""The start page: the same for everybody, kept in memory, and silent about the sites."""

from __future__ import annotations

from flask import Flask

from tests.support.guest_client import add_site


def test_it_says_where_to_sign_in_and_where_help_is(app: Flask) -> None:
    answer = app.test_client().get("/")
    assert answer.status_code == 200
    assert 'href="/account"' in answer.text
    assert 'href="/admin"' in answer.text
    assert "commentsvc admin link" in answer.text


def test_it_is_the_same_for_everybody_and_says_nothing_of_sites(app: Flask) -> None:
    before = app.test_client().get("/")
    add_site(app)
    after = app.test_client().get("/?url=https://blog.example/", headers={"Cookie": "session=x"})
    assert after.text == before.text
    assert "blog" not in after.text.lower()
    assert before.headers["Cache-Control"] == "public, no-cache"
    assert "Set-Cookie" not in before.headers


def test_it_is_answered_from_memory_and_with_304(app: Flask) -> None:
    tag = app.test_client().get("/").headers["ETag"]
    again = app.test_client().get("/", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_nobody_may_frame_it(app: Flask) -> None:
    assert "frame-ancestors 'none'" in app.test_client().get("/").headers["Content-Security-Policy"]
