"""A running service is moved: readers read on, posts are refused with their text kept, and no comment is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from commentsvc.cli.background_work import BackgroundWork
from commentsvc.config import Settings
from commentsvc.domain.service_move import source_stop
from commentsvc.models import Comment, Site, WorkRound
from tests.conftest import _emptied, environment
from tests.serving.test_outages import ARTICLE, WORDS, ask, open_site, write
from tests.support import processes, service_moves, service_processes
from tests.support.service_processes import Guest, Running

__all__ = ["open_site"]

UNLIMITED = {f"COMMENTSVC_{name}_LIMIT": "1000000/minute" for name in ("POST", "PERSON", "THREAD")}
LATER = "It will be back in a few minutes."


@dataclass
class Writer:
    """Posts comments on one connection until it is told to stop."""

    guest: Guest
    accepted: list[int] = field(default_factory=list)
    """The comments that were acknowledged."""
    refused: list[object] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            answer = self.guest.post(
                ARTICLE, f"{number} by {self.guest.name}", key=f"{self.guest.name}-{number}"
            )
            if answer.status == 200:
                self.accepted.append(answer.id)
            else:
                self.refused.append((answer.status, answer.body["said"]))
                self.stop.wait(0.05)
        self.guest.connection.close()


@dataclass(frozen=True)
class Move:
    """A service that runs on one database, and an empty one of the other engine."""

    running: Running
    source: Engine
    target: Engine
    target_settings: Settings


@pytest.fixture
def prepared(
    engine_name: str,
    settings: Settings,
    open_site: Site,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Move]:
    other = environment(tmp_path / "other")
    if engine_name == "sqlite":
        url = _emptied(request.getfixturevalue("migrated_postgresql"))
        other["COMMENTSVC_DATABASE_URL"] = url
    else:
        (tmp_path / "other").mkdir()
        file = request.getfixturevalue("migrated_sqlite")
        (tmp_path / "other" / "comments.sqlite").write_bytes(file.read_bytes())
    target_settings = Settings.from_env(other)
    with ExitStack() as stack:
        running = stack.enter_context(
            service_processes.service(settings, tmp_path / "here", workers=2, environ=UNLIMITED)
        )
        source = stack.enter_context(service_moves.engine_of(settings))
        target = stack.enter_context(service_moves.engine_of(target_settings))
        yield Move(running, source, target, target_settings)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_no_acknowledged_comment_is_lost(prepared: Move, tmp_path: Path) -> None:
    port = prepared.running.port
    writers = [Writer(Guest(port, name)) for name in ("anna", "bob")]
    threads = [threading.Thread(target=writer.run) for writer in writers]
    for thread in threads:
        thread.start()

    def meanwhile(name: str) -> None:
        if name != "comment":
            return
        for writer in writers:
            processes.until(lambda writer=writer: writer.refused, "a refused post")
        assert ask(port, f"/embed?url={ARTICLE}%2Fnew")[0] == 200
        status, page = write(port, "kept")
        assert status == 503
        assert WORDS in page
        assert LATER in page
        assert processes.status(port, "/healthz") == 200

    try:
        processes.until(lambda: all(writer.accepted for writer in writers), "comments")
        report = service_moves.move(prepared.source, prepared.target, meanwhile)
    finally:
        for writer in writers:
            writer.stop.set()
        for thread in threads:
            thread.join()
    assert report.is_done
    with prepared.target.connect() as connection:
        stored = set(connection.scalars(select(Comment.id)))
    assert stored == {number for writer in writers for number in writer.accepted}
    for writer in writers:
        assert {status for status, _ in writer.refused} == {503}
        assert LATER.encode() in writer.refused[0][1]
    assert service_moves.contents(prepared.source) == service_moves.contents(prepared.target)
    with service_processes.service(prepared.target_settings, tmp_path / "there") as moved:
        guest = Guest(moved.port, "anna")
        with closing(guest.connection):
            assert guest.post(ARTICLE, "Here again", key="after").id > max(stored)


def test_the_background_work_pauses(settings: Settings, open_site: Site, tmp_path: Path) -> None:
    def do_a_round(engine: Engine) -> bool:
        answers = iter([False, True])
        BackgroundWork(engine, settings, lambda: next(answers, True)).run()
        with engine.connect() as connection:
            return connection.scalar(select(WorkRound.at)) is not None

    with service_moves.engine_of(settings) as engine:
        with source_stop.held(engine, "there"):
            assert not do_a_round(engine)
        assert do_a_round(engine)


def test_a_service_that_was_moved_away_starts_for_readers(
    settings: Settings, open_site: Site, tmp_path: Path
) -> None:
    with service_moves.engine_of(settings) as engine, source_stop.held(engine, "there") as stop:
        stop.finish()
    level = {"COMMENTSVC_LOG_LEVEL": "WARNING"}
    with service_processes.service(settings, tmp_path / "here", environ=level) as running:
        assert "nothing can be changed in this database" in running.process.said()
        assert ask(running.port, f"/embed?url={ARTICLE}")[0] == 200
        assert write(running.port, "one")[0] == 503
