"""Everything moves to the other engine and is compared; whatever goes wrong, the service goes on where it was."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, insert, select, text, update
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.db import write_stop
from commentsvc.db.session import begin_write, connect_despite_stop
from commentsvc.domain.service_move import source_stop
from commentsvc.errors import MoveError, ServiceMovingError
from commentsvc.models import Comment, MoveState, ServiceMove, Site
from tests.conftest import _emptied, environment
from tests.support import processes, service_moves


@dataclass(frozen=True)
class Databases:
    """A filled one and an empty one, of different engines."""

    source: Engine
    target: Engine


@pytest.fixture(params=["sqlite", "postgresql"])
def source_name(request: pytest.FixtureRequest) -> str:
    """The engine that the service leaves; a test may choose one."""
    return str(request.param)


@pytest.fixture
def databases(
    source_name: str, tmp_path: Path, migrated_sqlite: Path, migrated_postgresql: str
) -> Iterator[Databases]:
    folder = tmp_path / "sqlite"
    folder.mkdir()
    shutil.copy(migrated_sqlite, folder / "comments.sqlite")
    url = _emptied(migrated_postgresql)
    with ExitStack() as stack:
        sqlite, postgresql = (
            stack.enter_context(service_moves.engine_of(Settings.from_env(variables)))
            for variables in (environment(folder), environment(tmp_path, COMMENTSVC_DATABASE_URL=url))
        )
        pair = (sqlite, postgresql) if source_name == "sqlite" else (postgresql, sqlite)
        service_moves.fill(pair[0])
        yield Databases(*pair)


def only(name: str) -> pytest.MarkDecorator:
    """Run a test with this source only."""
    return pytest.mark.parametrize("source_name", [name])


def require_as_before(databases: Databases) -> None:
    """Check that the source can be changed, and that the target is as it was."""
    assert service_moves.add_comment(databases.source)
    everything = service_moves.contents(databases.target)
    assert not any(rows for name, rows in everything.items() if name != "hash_key")
    assert source_stop.state_of(databases.target) is None


def test_every_row_of_every_table_moves(databases: Databases) -> None:
    before = service_moves.contents(databases.source)
    assert all(before.values()), "something in each table, or this shows nothing about it"
    last = max(row[0] for row in before["comment"])
    service_moves.add_comment(databases.source, "A parent that is younger", id=last + 9)
    late = service_moves.add_comment(
        databases.source, "Its zyzzyva", id=last + 5, parent_id=last + 9, root_id=last + 9, depth=1
    )
    before = service_moves.contents(databases.source)
    report = service_moves.move(databases.source, databases.target)
    assert report.is_done
    assert service_moves.contents(databases.target) == before
    assert {table.name: table.target.rows for table in report.tables} == {
        name: len(rows) for name, rows in before.items()
    }
    assert service_moves.found(databases.target, "zyzzyva") == 1
    assert late == last + 5
    assert service_moves.add_comment(databases.target) == last + 10
    with pytest.raises(ServiceMovingError):
        service_moves.add_comment(databases.source)
    assert service_moves.contents(databases.source) == before
    with pytest.raises(MoveError, match="has moved to there"):
        service_moves.move(databases.source, databases.target)
    assert source_stop.cancel(databases.source) is not None
    assert service_moves.add_comment(databases.source)
    with pytest.raises(MoveError, match="is not empty"):
        service_moves.move(databases.source, databases.target)
    assert service_moves.add_comment(databases.source)


@only("sqlite")
def test_what_postgresql_cannot_store_is_replaced_or_refused(databases: Databases) -> None:
    service_moves.add_comment(databases.source, "a\0b")
    assert service_moves.move(databases.source, databases.target).nul_texts == 2  # and its search text
    with databases.target.connect() as connection:
        assert "a\ufffdb" in connection.scalars(select(Comment.source)).all()
        engine_emptied = str(databases.target.url.render_as_string(hide_password=False))
    _emptied(engine_emptied)
    source_stop.cancel(databases.source)
    service_moves.add_comment(databases.source, "A long name", guest_name="n" * 5000)
    with pytest.raises(MoveError, match="refuses a row of the table comment"):
        service_moves.move(databases.source, databases.target)
    require_as_before(databases)


@only("postgresql")
def test_a_difference_moves_nothing(databases: Databases) -> None:
    with connect_despite_stop(databases.target) as connection, connection.begin():
        connection.execute(
            text("CREATE TRIGGER spoil AFTER INSERT ON note BEGIN UPDATE note SET text = 'other'; END")
        )
    report = service_moves.move(databases.source, databases.target)
    assert not report.is_done
    assert [table.name for table in report.tables if not table.is_equal] == ["note"]
    require_as_before(databases)


def test_an_interrupted_move_leaves_everything_as_it_was(databases: Databases) -> None:
    def interrupt(name: str) -> None:
        if name == "comment":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service_moves.move(databases.source, databases.target, interrupt)
    require_as_before(databases)


def test_a_change_during_a_move_is_impossible_or_ends_it(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_stop, "RENEW_EVERY", 3600)

    def run_out(name: str) -> None:
        """Let the stop's time pass, as when the mover stands still for long, and write."""
        if name != "comment" or not write_stop.stands(databases.source):
            return
        with pytest.raises(ServiceMovingError):
            service_moves.add_comment(databases.source)
        with connect_despite_stop(databases.source) as connection, connection.begin():
            connection.execute(update(ServiceMove).values(expires=1))
        assert not write_stop.stands(databases.source)
        service_moves.add_comment(databases.source)

    with pytest.raises(MoveError, match="was given up"):
        service_moves.move(databases.source, databases.target, run_out)
    require_as_before(databases)


@only("postgresql")
def test_the_stop_waits_for_those_who_write_already(databases: Databases) -> None:
    engine, done = databases.source, threading.Event()

    def begin() -> None:
        with source_stop.held(engine, "there"):
            done.wait(processes.PATIENCE)

    with Session(engine) as session:
        begin_write(session)
        session.execute(update(Site).values(heading="Changed before the stop"))
        mover = threading.Thread(target=begin)
        mover.start()
        try:
            waiting = text("SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'")
            with engine.connect() as watch:
                processes.until(lambda: watch.scalar(waiting), "the mover, which waits")
            assert not write_stop.stands(engine)
            session.commit()
            processes.until(lambda: write_stop.stands(engine), "the stop")
        finally:
            done.set()
            mover.join()
    assert not write_stop.stands(engine)


def test_a_move_that_was_killed_at_its_end_is_completed(databases: Databases) -> None:
    service_moves.move(databases.source, databases.target)
    left = source_stop.state_of(databases.source)
    assert left is not None
    arriving = {"id": 1, "state": MoveState.ARRIVING, "token": left.token, "other": "here"}
    with connect_despite_stop(databases.target) as connection, connection.begin():
        connection.execute(insert(ServiceMove).values(**arriving, began_at=left.began_at))
    with pytest.raises(ServiceMovingError):
        service_moves.add_comment(databases.target)
    with pytest.raises(MoveError, match="Cancel it there"):
        source_stop.cancel(databases.target)
    assert service_moves.move(databases.source, databases.target).completed_earlier
    assert service_moves.add_comment(databases.target)


@only("postgresql")
def test_two_moves_at_once_are_refused(databases: Databases) -> None:
    with source_stop.held(databases.source, "elsewhere"):
        with pytest.raises(MoveError, match="being moved to elsewhere right now"):
            service_moves.move(databases.source, databases.target)
        assert write_stop.stands(databases.source)
    with Session(databases.source) as session:
        begin_write(session)
        session.execute(delete(ServiceMove))
        session.commit()


def test_a_finished_stop_is_not_renewed_and_never_ends(databases: Databases) -> None:
    with source_stop.held(databases.source, "there") as stop:
        stop.renew()
        stop.finish()
        with pytest.raises(MoveError, match="was given up"):
            stop.renew()
    row = source_stop.state_of(databases.source)
    assert row is not None
    assert (row.state, row.expires) == (MoveState.MOVED, None)
    assert write_stop.stands(databases.source)
