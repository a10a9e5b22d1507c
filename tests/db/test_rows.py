"""Rows are changed and inserted by one statement, and two processes never take the same one."""

from __future__ import annotations

import pytest
from sqlalchemy import JSON, literal, select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows, insert_rows, take_first
from commentsvc.db.session import UTCDateTime, begin_write
from commentsvc.models import Announcement, Site
from tests.support.comment_builders import NOON

ENGINES = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
WAITING = select(Announcement).where(Announcement.done_at.is_(None)).order_by(Announcement.id)


@pytest.fixture
def announced(session: Session, site: Site) -> list[int]:
    """Announcements of which the first is done; return the numbers of those that wait."""
    begin_write(session)
    rows = [Announcement(site_id=site.id, articles=[], done_at=done) for done in (NOON, None, None)]
    session.add_all(rows)
    session.commit()
    numbers = [row.id for row in rows[1:]]
    session.rollback()
    return numbers


@ENGINES
def test_the_first_that_waits_is_taken(session: Session, announced: list[int]) -> None:
    for number in announced:
        row = take_first(session, WAITING)
        assert row is not None
        assert row.id == number
        row.done_at = NOON
        session.commit()
    assert take_first(session, WAITING) is None
    assert not session.in_transaction()


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_what_another_process_has_is_left_out(session: Session, announced: list[int]) -> None:
    with Session(session.get_bind()) as other, Session(session.get_bind()) as third:
        rows = [take_first(each, WAITING) for each in (session, other)]
        assert [row and row.id for row in rows] == announced
        assert take_first(third, WAITING) is None
        assert not third.in_transaction()


@ENGINES
def test_rows_are_changed_and_inserted_by_one_statement(
    session: Session, site: Site, announced: list[int]
) -> None:
    begin_write(session)
    done = update(Announcement).where(Announcement.id.in_(announced)).values(done_at=NOON)
    assert change_rows(session, done) == 2
    added = select(
        Site.id.label("site_id"),
        literal([], JSON()).label("articles"),
        literal("").label("done_up_to"),
        literal(NOON, UTCDateTime()).label("created_at"),
    )
    insert_rows(session, Announcement, added.where(Site.id == site.id))
    session.commit()
    row = take_first(session, WAITING)
    assert row is not None
    assert (row.site_id, row.created_at) == (site.id, NOON)
