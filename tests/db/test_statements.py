"""Statements past SQLAlchemy's execution: the same types, errors and listeners."""

from __future__ import annotations

import pytest
from sqlalchemy import Float, bindparam, event, insert, literal, select, update
from sqlalchemy.exc import IntegrityError, OperationalError, PendingRollbackError
from sqlalchemy.orm import Session

from commentsvc.db.session import Base, begin_write
from commentsvc.db.statements import Prepared
from commentsvc.models import Site

both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])

_SITE = Base.metadata.tables["site"]
NAME = Prepared(select(_SITE.c.name).where(_SITE.c.id == bindparam("id")))
RENAME = Prepared(update(_SITE).where(_SITE.c.id == bindparam("id")).values(name=bindparam("name")))
BY_ID = Prepared(
    select(_SITE.c.created_at, _SITE.c.policy, _SITE.c.valve).where(_SITE.c.id == bindparam("id"))
)


def test_what_comes_out_has_its_types(session: Session, site: Site) -> None:
    assert BY_ID.rows(session, id=site.id) == [(site.created_at, site.policy, site.valve)]
    assert BY_ID.row(session, id=site.id + 1) is None


@both_engines
def test_fractions_come_out_on_both_engines(session: Session, site: Site) -> None:
    half = Prepared(select(literal(0.5, type_=Float), _SITE.c.id).where(_SITE.c.id == bindparam("id")))
    assert half.rows(session, id=site.id) == [(0.5, site.id)]
    assert half.rows(session, id=site.id) == [(0.5, site.id)]


def test_a_broken_constraint_is_the_error_callers_know(session: Session, site: Site) -> None:
    begin_write(session)
    again = Prepared(insert(_SITE).values(id=bindparam("number"), name=site.name))
    with pytest.raises(IntegrityError):
        again.rows(session, number=site.id)
    session.rollback()


def test_what_the_database_cannot_do_is_the_error_callers_know(session: Session, site: Site) -> None:
    session.connection().exec_driver_sql("ALTER TABLE site RENAME TO elsewhere")
    with pytest.raises(OperationalError, match="no such table"):
        BY_ID.rows(session, id=site.id)
    session.rollback()


@both_engines
def test_what_a_savepoint_takes_back_is_gone(session: Session, site: Site) -> None:
    with session.begin_nested() as savepoint:
        RENAME.rows(session, id=site.id, name="Another")
        assert NAME.row(session, id=site.id) == ("Another",)
        savepoint.rollback()
    assert NAME.row(session, id=site.id) == ("Blog",)


@both_engines
def test_nothing_is_asked_after_a_flush_that_failed(session: Session, site: Site) -> None:
    number = site.id
    NAME.rows(session, id=number)
    session.add(Site(name=site.name))
    with pytest.raises(IntegrityError):
        session.flush()
    with pytest.raises(PendingRollbackError):
        NAME.rows(session, id=number)
    session.rollback()
    assert NAME.rows(session, id=number) == [("Blog",)]


def test_listeners_hear_it(session: Session, site: Site) -> None:
    heard: list[str] = []
    connection = session.connection()
    event.listen(connection, "before_cursor_execute", lambda *given: heard.append(given[2]))
    BY_ID.rows(session, id=site.id)
    assert [said.partition(" ")[0] for said in heard] == ["SELECT"]


def test_a_statement_that_is_another_each_time_is_refused(session: Session, site: Site) -> None:
    wide = Prepared(select(_SITE.c.id).where(_SITE.c.id.in_(bindparam("ids", expanding=True))))
    with pytest.raises(TypeError, match="depends on its values"):
        wide.rows(session, ids=[site.id])
