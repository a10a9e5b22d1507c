"""Writers on SQLite: each in its turn, within a process and between processes."""

from __future__ import annotations

import gc
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db import sqlite
from commentsvc.db.session import begin_write, db
from commentsvc.db.sqlite import BUSY_TIMEOUT_MS
from tests.conftest import dispose


@pytest.fixture
def impatient(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A service whose writers wait for a fifth of a second."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 200)
    app = create_app(settings)
    with app.app_context():
        yield app
    dispose(app)


@contextmanager
def writing() -> Iterator[Session]:
    with Session(db.engine) as session:
        begin_write(session)
        yield session


@contextmanager
def another_process(settings: Settings) -> Iterator[None]:
    """As far as SQLite can tell."""
    path = settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_who_waits_too_long_for_this_process_is_told(impatient: Flask) -> None:
    with writing(), pytest.raises(OperationalError, match="locked"), writing():
        pass
    with writing():  # and keeps nobody waiting
        pass


def test_who_waits_too_long_for_another_process_is_told(impatient: Flask, settings: Settings) -> None:
    with another_process(settings), pytest.raises(OperationalError, match="locked"), writing():
        pass
    with writing():
        pass


def test_the_turn_comes_when_another_process_is_done(app: Flask, settings: Settings) -> None:
    began, done = threading.Event(), threading.Event()

    def write() -> None:
        with app.app_context():
            began.set()
            with writing():
                done.set()

    writer = threading.Thread(target=write)
    with another_process(settings):
        writer.start()
        assert began.wait(10)
        assert not done.wait(0.05)
    assert done.wait(10)
    writer.join()


def test_readers_are_as_patient_after_a_write_as_before(app: Flask) -> None:
    with app.app_context(), writing() as session:
        pragma = session.connection().exec_driver_sql("PRAGMA busy_timeout").scalar()
    assert pragma == BUSY_TIMEOUT_MS


@pytest.mark.parametrize("how", ["commit", "rollback", "close"])
def test_every_end_gives_the_turn_back(impatient: Flask, how: str) -> None:
    session = Session(db.engine)
    begin_write(session)
    getattr(session, how)()
    with writing():
        pass
    session.close()


def test_a_session_that_is_forgotten_gives_the_turn_back(impatient: Flask) -> None:
    def forget() -> None:
        begin_write(Session(db.engine))

    forget()
    gc.collect()
    with writing():
        pass


def test_a_writer_may_begin_again(impatient: Flask) -> None:
    with writing() as session:
        for _ in range(3):
            begin_write(session)
    with db.engine.connect().execution_options(commentsvc_write=True) as connection:
        for _ in range(3):
            with connection.begin():
                pass
    with writing():
        pass
