"""A session's connection, kept at hand: never another than its own, and never past a savepoint or an end."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import bindparam, event, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError, PendingRollbackError
from sqlalchemy.orm import Session

from commentsvc.db import connection, sqlite
from commentsvc.db.session import Base, begin_write, db
from commentsvc.db.statements import Prepared
from commentsvc.models import Commenter, Site

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])

_PERSON = Base.metadata.tables["commenter"]
NAMES = Prepared(select(_PERSON.c.name).where(_PERSON.c.name != bindparam("but")).order_by(_PERSON.c.id))
RENAME = Prepared(update(_PERSON).where(_PERSON.c.name == bindparam("old")).values(name=bindparam("new")))


def names(session: Session) -> list[str]:
    return [name for (name,) in NAMES.rows(session, but="Site owner")]


def add(session: Session, name: str) -> None:
    session.execute(insert(Commenter).values(name=name))


@both_engines
def test_it_is_the_one_of_the_transaction(app: Flask) -> None:
    with app.app_context(), Session(db.engine) as session:
        first = connection.connection_of(session)
        assert first is connection.connection_of(session) is session.connection()
        session.rollback()
        assert connection.cached(session) is None
        assert connection.connection_of(session) is session.connection()
        session.commit()
        assert connection.cached(session) is None
        assert connection.connection_of(session) is not first
        session.close()
        assert connection.cached(session) is None


@both_engines
def test_what_a_savepoint_takes_back_is_gone(session: Session) -> None:
    add(session, "Anna")
    assert names(session) == ["Anna"]
    with session.begin_nested() as savepoint:
        RENAME.rows(session, old="Anna", new="Ben")
        assert names(session) == ["Ben"]
        savepoint.rollback()
    assert names(session) == ["Anna"]


@both_engines
def test_nothing_is_asked_after_a_flush_that_failed(session: Session, site: Site) -> None:
    names(session)
    session.add(Site(name=site.name))
    with pytest.raises(IntegrityError):
        session.flush()
    with pytest.raises(PendingRollbackError):
        names(session)
    session.rollback()
    assert names(session) == []


@both_engines
def test_who_has_only_read_writes_on_the_same_connection(app: Flask) -> None:
    with app.app_context(), Session(db.engine) as session, Session(db.engine) as other:
        taken: list[object] = []
        assert names(session) == []
        begin_write(other)
        add(other, "Anna")
        other.commit()
        event.listen(db.engine, "checkout", lambda *given: taken.append(given))
        begin_write(session)
        assert names(session) == ["Anna"]
        add(session, "Ben")
        session.commit()
        assert taken == []
        assert names(session) == ["Anna", "Ben"]


@both_engines
def test_what_was_written_before_and_not_committed_is_undone(app: Flask) -> None:
    with app.app_context(), Session(db.engine) as session:
        begin_write(session)
        add(session, "Anna")
        assert names(session) == ["Anna"]
        begin_write(session)
        assert names(session) == []


@both_engines
def test_what_was_read_before_is_read_anew(session: Session, site: Site) -> None:
    session.commit()
    site_id = site.id
    with Session(session.get_bind()) as reader:
        seen = reader.get_one(Site, site_id)
        assert (seen.name, names(reader)) == ("Blog", [])
        begin_write(session)
        site.name = "Another"
        session.commit()
        begin_write(reader)
        assert seen.name == "Another"


def test_who_does_not_get_the_lock_can_ask_again(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    with app.app_context(), Session(db.engine) as writer, Session(db.engine) as other:
        begin_write(writer)
        assert names(other) == []
        with pytest.raises(OperationalError, match="locked"):
            begin_write(other)
        assert not other.in_transaction()
        writer.rollback()
        begin_write(other)
        add(other, "Anna")
        other.commit()
        assert names(writer) == ["Anna"]


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_connection_that_was_lost_is_not_used_again(app: Flask) -> None:
    with app.app_context(), Session(db.engine) as session:
        assert names(session) == []
        number = session.scalar(text("SELECT pg_backend_pid()"))
        with db.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})
        with pytest.raises(OperationalError):
            begin_write(session)
        session.rollback()
        begin_write(session)
        assert session.scalar(text("SELECT pg_backend_pid()")) != number
