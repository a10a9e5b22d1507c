"""Whether the process can work, and what it says when the database cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from commentsvc import create_app
from commentsvc.config import Settings
from tests.conftest import dispose, environment


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_a_process_with_its_database_is_well(app: Flask) -> None:
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    assert answer.headers["Cache-Control"] == "no-store"


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
