"""What is logged of an outage: its first error in full, a line for each further one, and its end."""

from __future__ import annotations

import sqlite3

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from commentsvc.db import outage
from commentsvc.db.outage import Outage, outage_of
from commentsvc.db.session import db

LOST = OperationalError(
    "INSERT INTO comment", {"text": "private"}, Exception("it is\nlost"), hide_parameters=True
)
FULL = sqlite3.OperationalError("database or disk is full")
FULL.sqlite_errorcode = sqlite3.SQLITE_FULL


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "QUIET", 0.0)


def test_the_traceback_comes_once_until_the_outage_is_over(caplog: pytest.LogCaptureFixture) -> None:
    state = Outage()
    for _ in range(2):
        for _ in range(3):
            state.failed(LOST, "GET /embed", writing=False)
        state.worked(writing=False)
        state.worked(writing=False)
    first, *_ = lines = [record.getMessage() for record in caplog.records]
    assert first.startswith("GET /embed: it is\nsqlalchemy.exc.OperationalError: ")
    assert [line for line in lines if "\n" not in line] == [
        *["GET /embed: it is"] * 2,
        "the database answers again; the errors came for 0 seconds",
    ] * 2
    assert "private" not in caplog.text


def test_reading_does_not_end_an_outage_of_writing(caplog: pytest.LogCaptureFixture) -> None:
    state = Outage()
    state.failed(OperationalError("", {}, FULL), "POST /embed/comments", writing=True)
    state.worked(writing=False)
    assert state.is_storage_doubted
    assert len(caplog.records) == 1
    state.worked(writing=True)
    assert not state.is_storage_doubted
    assert len(caplog.records) == 2


def test_a_request_that_is_answered_ends_it(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with app.app_context():
        outage_of(db.engine).failed(LOST, "GET /embed", writing=False)
    assert app.test_client().get("/healthz").status_code == 200
    assert "the database answers again" in caplog.text
