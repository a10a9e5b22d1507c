"""Whether the process can work, and what it says when the database cannot."""

from __future__ import annotations

import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.test import Client

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import db
from commentsvc.domain.maintenance import work_rounds
from commentsvc.models import now
from commentsvc.web import error_pages, health
from tests.conftest import dispose, environment
from tests.support.guest_client import GuestClient, add_site


@pytest.fixture
def guest(app: Flask) -> GuestClient:
    add_site(app)
    return GuestClient(app)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_a_process_with_its_database_is_well(app: Flask) -> None:
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "background_work": "late"})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
@pytest.mark.parametrize(("minutes", "said"), [(9, "ok"), (11, "late")])
def test_work_that_nobody_does_is_said_but_keeps_no_reader_away(app: Flask, minutes: int, said: str) -> None:
    with app.app_context():
        work_rounds.record(db.engine, at=now() - timedelta(minutes=minutes))
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "background_work": said})


@pytest.mark.parametrize(
    "url", ["sqlite:////nonexistent/folder/comments.sqlite", "postgresql://nobody@127.0.0.1:1/none"]
)
@pytest.mark.parametrize(
    "path", ["/healthz", "/embed?url=https://blog.example/", "/counts?url=https://blog.example/"]
)
def test_a_process_without_its_database_says_so(tmp_path: Path, url: str, path: str) -> None:
    app = create_app(Settings.from_env(environment(tmp_path, COMMENTSVC_DATABASE_URL=url)))
    answer = app.test_client().get(path)
    dispose(app)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "nobody" not in answer.text
    assert "nonexistent" not in answer.text


def test_a_database_that_is_busy_for_too_long_is_said_to_be_busy(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_args: object) -> None:
        raise OperationalError("SELECT secret", {}, Exception("database is locked"))

    monkeypatch.setattr("commentsvc.domain.threads.comment_counts.counts", locked)
    answer = app.test_client().get("/counts?url=x", headers={"Accept": "application/json"})
    assert answer.status_code == 503
    assert answer.json == {"message": "The service is busy. Please try again in a moment."}


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_an_error_at_the_end_of_a_request_is_said_in_words(app: Flask, accept: str) -> None:
    errors = [OperationalError("ROLLBACK", {}, Exception("the connection is lost"))]

    def lose(_error: BaseException | None) -> None:
        if errors:
            raise errors.pop()

    app.teardown_appcontext(lose)
    answer = Client(app).get("/nowhere", headers={"Accept": accept})
    assert answer.status_code == 503
    assert "The service is busy. Please try again in a moment." in answer.text


def test_a_session_that_cannot_be_closed_is_not_left_to_the_next_request(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_session: object) -> None:
        raise OperationalError("ROLLBACK", {}, Exception("the connection is lost"))

    before = set(db.session.registry.registry)
    with monkeypatch.context() as patch:
        patch.setattr(Session, "close", lost)
        assert Client(app).get("/healthz").status_code == 503
    assert set(db.session.registry.registry) <= before
    assert app.test_client().get("/healthz").status_code == 200


FULL = sqlite3.OperationalError("database or disk is full")
FULL.sqlite_errorcode = sqlite3.SQLITE_FULL


@pytest.mark.parametrize(
    ("cause", "words"),
    [(FULL, "the server's disk is full"), (sqlite3.OperationalError("database is locked"), "is busy")],
)
def test_what_cannot_be_stored_is_kept_without_a_script(
    app: Flask, guest: GuestClient, monkeypatch: pytest.MonkeyPatch, cause: Exception, words: str
) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise OperationalError("INSERT", {}, cause)

    monkeypatch.setattr("commentsvc.domain.comments.comments.post", fail)
    answer = guest.post("An <b>hour's</b>\nwork", door="/thread", json=False)
    assert answer.status_code == 503
    assert words in answer.text.replace("&#39;", "'")
    assert "\nAn &lt;b&gt;hour&#39;s&lt;/b&gt;\nwork</textarea>" in answer.text
    assert 'name="token"' in answer.text


def test_another_page_gets_no_button_for_what_it_sends(app: Flask) -> None:
    with app.test_request_context(
        "/thread/comments", method="POST", data={"text": "Hello"}, headers={"Origin": "https://evil.example"}
    ):
        assert "<form" not in error_pages.answer(503, "Busy").get_data(as_text=True)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_a_process_says_whether_it_lives_and_is_ready(app: Flask) -> None:
    for path in ("/livez", "/readyz"):
        answer = app.test_client().get(path)
        assert (answer.status_code, answer.json) == (200, {"status": "ok"})
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "url", ["sqlite:////nonexistent/folder/comments.sqlite", "postgresql://nobody@127.0.0.1:1/none"]
)
def test_a_process_without_its_database_lives_but_is_not_ready(tmp_path: Path, url: str) -> None:
    app = create_app(Settings.from_env(environment(tmp_path, COMMENTSVC_DATABASE_URL=url)))
    assert app.test_client().get("/livez").status_code == 200
    answer = app.test_client().get("/readyz")
    dispose(app)
    assert answer.status_code == 503
    assert answer.json == {"status": "unavailable", "message": "The database does not answer."}


def test_a_database_that_hangs_is_not_waited_for_and_is_asked_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "READY_WITHIN", 0.01)
    hanging, asked = threading.Event(), []

    def hang(*_: object) -> None:
        asked.append(1)
        assert hanging.wait(30)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", hang)
    client = app.test_client()
    try:
        assert [client.get("/readyz").status_code for _ in range(3)] == [503] * 3
        assert len(asked) <= 1
    finally:
        hanging.set()
    monkeypatch.setattr(health, "READY_WITHIN", 30)
    assert client.get("/readyz").status_code == 200
    event.remove(engine, "before_cursor_execute", hang)
    assert client.get("/readyz").status_code == 200
