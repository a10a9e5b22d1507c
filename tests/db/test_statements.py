"""Statements past SQLAlchemy's execution: the same types, errors and listeners."""

from __future__ import annotations

import pytest
from sqlalchemy import Float, bindparam, event, insert, literal, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.db.statements import Prepared
from commentsvc.models import Site

_SITE = Site.__table__
BY_ID = Prepared(
    select(_SITE.c.created_at, _SITE.c.policy, _SITE.c.valve).where(_SITE.c.id == bindparam("id"))
)


def test_what_comes_out_has_its_types(session: Session, site: Site) -> None:
    assert BY_ID.rows(session, id=site.id) == [(site.created_at, site.policy, site.valve)]
    assert BY_ID.row(session, id=site.id + 1) is None


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
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


def test_listeners_hear_it(session: Session, site: Site) -> None:
    heard: list[str] = []
    connection = session.connection()
    event.listen(connection, "before_cursor_execute", lambda *given: heard.append(given[2]))
    BY_ID.rows(session, id=site.id)
    assert [said.partition(" ")[0] for said in heard] == ["SELECT"]


def test_a_statement_that_is_another_each_time_is_refused(session: Session, site: Site) -> None:
    wide = Prepared(select(_SITE.c.id).where(_SITE.c.id.in_(bindparam("ids", expanding=True))))
    with pytest.raises(TypeError, match="another each time"):
        wide.rows(session, ids=[site.id])
