"""How the database is opened, and that writers queue up instead of failing."""

from __future__ import annotations

import socket
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db import session as database
from commentsvc.db import sqlite
from commentsvc.db.session import begin_write, connect_to_migrate, db, engine_options
from commentsvc.db.sqlite import BUSY_TIMEOUT_MS, REMEMBERED_KB
from commentsvc.domain.authors import Author
from commentsvc.domain.comments import comment_text
from commentsvc.domain.fields import Guest
from commentsvc.domain.sites import sites
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Commenter, Site, Thread
from tests.conftest import BLOG, dispose
from tests.support.comment_builders import NOON, article, post_comment

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("foreign_keys", 1),
        ("journal_mode", "wal"),
        ("synchronous", 1),  # what is missing to 2, a commit does itself: test_durability.py
        ("busy_timeout", BUSY_TIMEOUT_MS),
        ("cache_size", -REMEMBERED_KB),
    ],
)
def test_every_connection_to_sqlite_is_prepared(app: Flask, pragma: str, value: object) -> None:
    with app.app_context():
        connections = [db.engine.connect() for _ in range(3)]
        assert [one.exec_driver_sql(f"PRAGMA {pragma}").scalar() for one in connections] == [value] * 3
        for one in connections:
            one.close()


@both_engines
def test_foreign_keys_hold(session: Session, site: Site) -> None:
    session.add(Thread(site_id=4711, key="x", url="https://x.example/"))
    with pytest.raises(IntegrityError):
        session.flush()


@both_engines
def test_a_flush_that_was_not_announced_is_refused(app: Flask) -> None:
    with app.app_context(), Session(db.engine) as session:
        session.add(Commenter(name="Anna"))
        with pytest.raises(RuntimeError, match="begin_write"):
            session.flush()


@pytest.mark.parametrize(
    "change",
    [
        insert(Commenter).values(name="Anna"),
        update(Commenter).values(name="Anna"),
        delete(Commenter),
    ],
)
@both_engines
def test_a_statement_that_was_not_announced_is_refused(app: Flask, change: object) -> None:
    with app.app_context(), Session(db.engine) as session, pytest.raises(RuntimeError, match="begin_write"):
        session.execute(change)  # type: ignore[call-overload]


@both_engines
def test_the_announcement_ends_with_its_transaction(app: Flask) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.add(Commenter(name="Anna"))
        session.commit()
        session.add(Commenter(name="Ben"))
        with pytest.raises(RuntimeError, match="begin_write"):
            session.commit()


@both_engines
def test_what_was_written_before_and_not_committed_is_undone(app: Flask) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        session.add(Commenter(name="Anna"))
        session.flush()
        begin_write(session)
        assert session.scalars(select(Commenter.name)).all() == []


@both_engines
def test_what_was_read_before_is_read_anew(session: Session, site: Site) -> None:
    session.commit()
    with Session(session.get_bind()) as reader:
        seen = reader.get_one(Site, site.id)
        assert seen.name == "Blog"
        begin_write(session)
        site.name = "Another"
        session.commit()
        begin_write(reader)
        assert seen.name == "Another"


@both_engines
def test_what_was_taken_out_before_stays_as_it_was_read(session: Session, site: Site) -> None:
    session.commit()
    with Session(session.get_bind()) as reader:
        seen = sites.by_origin(reader, BLOG)
        reader.expunge_all()
        begin_write(session)
        site.name = "Another"
        session.commit()
        begin_write(reader)
        assert (seen.name, next(one.origin for one in seen.origins)) == ("Blog", BLOG)


def test_who_does_not_get_the_lock_can_ask_again(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    with app.app_context(), Session(db.engine) as writer, Session(db.engine) as other:
        begin_write(writer)
        assert other.scalars(select(Commenter.name)).all() == []
        with pytest.raises(OperationalError, match="locked"):
            begin_write(other)
        writer.rollback()
        begin_write(other)
        other.add(Commenter(name="Anna"))
        other.commit()
        assert writer.scalars(select(Commenter.name)).all() == ["Anna"]


def test_who_did_not_get_the_lock_changes_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    with app.app_context(), Session(db.engine) as writer, Session(db.engine) as other:
        begin_write(writer)
        with pytest.raises(OperationalError, match="locked"):
            begin_write(other)
        other.add(Commenter(name="Anna"))
        with pytest.raises(RuntimeError, match="begin_write"):
            other.commit()


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_connection_that_was_lost_is_not_used_again(app: Flask) -> None:
    with app.app_context(), Session(db.engine) as session:
        number = session.scalar(text("SELECT pg_backend_pid()"))
        with db.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})
        with pytest.raises(OperationalError):
            begin_write(session)
        session.rollback()
        begin_write(session)
        assert session.scalar(text("SELECT pg_backend_pid()")) != number


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_postgresql_limits_a_reader_more_than_a_writer_and_a_migration_not_at_all(app: Flask) -> None:
    limits = text("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
    with app.app_context(), Session(db.engine) as session:
        assert session.execute(limits).one() == ("2s", "10s")
        begin_write(session)
        assert session.execute(limits).one() == ("15s", "1min")
        session.rollback()
        assert session.execute(limits).one() == ("2s", "10s")
        with connect_to_migrate(db.engine) as connection:
            assert connection.execute(limits).one() == ("0", "0")


def test_a_reader_is_not_kept_waiting_by_a_writer(app: Flask) -> None:
    with app.app_context(), Session(db.engine) as writer, Session(db.engine) as reader:
        begin_write(writer)
        writer.add(Commenter(name="Anna"))
        writer.flush()
        assert reader.scalars(select(Commenter.name)).all() == []
        writer.commit()
        assert reader.scalars(select(Commenter.name)).all() == []
        reader.rollback()
        assert reader.scalars(select(Commenter.name)).all() == ["Anna"]


@both_engines
def test_times_come_back_as_they_went_in(session: Session, site: Site) -> None:
    elsewhere = datetime(2026, 3, 1, 1, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    session.add(Commenter(name="Anna", created_at=elsewhere))
    session.flush()
    session.expire_all()
    created_ats = session.scalars(select(Commenter.created_at).where(Commenter.name == "Anna")).one()
    assert created_ats == elsewhere
    assert created_ats.utcoffset() == timedelta(0)


@both_engines
def test_a_time_without_a_zone_is_refused(session: Session, site: Site) -> None:
    session.add(Commenter(name="Anna", created_at=NOON.replace(tzinfo=None)))
    with pytest.raises(StatementError, match="naive"):
        session.flush()


def _together(app: Flask, count: int, work: object) -> list[BaseException]:
    """Run `work(number)` in that many threads at once; return what they raised."""
    faults: list[BaseException] = []
    start = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            start.wait()
            with app.app_context():
                work(number)  # type: ignore[operator]
        except BaseException as error:
            faults.append(error)

    runners = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    return faults


@both_engines
def test_comments_posted_at_once_are_all_there(app: Flask, session: Session, site: Site) -> None:
    site.valve = False
    session.commit()
    writers, each = 8, 6

    def write(number: int) -> None:
        for turn in range(each):
            with Session(db.engine) as own:
                begin_write(own)
                address = threads.address_on(sites.by_origin(own, BLOG), f"{BLOG}/article")
                post_comment(
                    own,
                    address,
                    comment_text.from_source(f"Number {number} says {turn}", longest=100),
                    Author(guest=Guest(f"Writer {number}")),
                    at=NOON,
                )
                own.commit()

    assert _together(app, writers, write) == []
    session.rollback()
    thread = session.scalars(select(Thread)).one()
    assert len(session.scalars(select(Comment.id)).all()) == writers * each == thread.approved_count


@both_engines
def test_a_post_sent_twice_at_once_is_stored_once(app: Flask, session: Session, site: Site) -> None:
    session.commit()

    def write(_number: int) -> None:
        with Session(db.engine) as own:
            begin_write(own)
            address = threads.address_on(sites.by_origin(own, BLOG), f"{BLOG}/article")
            post_comment(
                own,
                address,
                comment_text.from_source("Hello", longest=100),
                Author(guest=Guest("Anna")),
                at=NOON,
                idempotency_key="key",
            )
            own.commit()

    faults = _together(app, 6, write)
    assert {type(fault).__name__ for fault in faults} == {"AlreadyPostedError"}
    session.rollback()
    assert len(session.scalars(select(Comment.id)).all()) == 1


def test_two_processes_can_open_one_file(
    app: Flask, settings: Settings, session: Session, site: Site
) -> None:
    article(session, site).write()
    session.commit()
    other = create_app(settings)
    with other.app_context():
        assert db.session.scalar(select(Thread.approved_count)) == 1
    dispose(other)


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CONNECT_WITHIN", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://nobody@127.0.0.1:{silent.getsockname()[1]}/none"
        engine = create_engine(url, **engine_options(url))
        with pytest.raises(OperationalError, match="timeout"), engine.connect():
            pass


def test_what_an_address_says_of_patience_stands() -> None:
    given = engine_options("postgresql://h/db?connect_timeout=60")["connect_args"]
    assert "connect_timeout" not in given
    assert "tcp_user_timeout" in given


def test_the_file_lies_in_the_data_directory(app: Flask, settings: Settings, tmp_path: Path) -> None:
    with app.app_context():
        connection: Connection
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
    assert settings.database_url == f"sqlite:///{tmp_path / 'comments.sqlite'}"
