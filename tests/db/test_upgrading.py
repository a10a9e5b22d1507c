"""An update without a pause: the release before goes on serving while and after the migrations run."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from commentsvc.config import Settings
from commentsvc.integrations import migrations
from tests.conftest import BLOG, environment
from tests.support import previous_release, processes, service_processes
from tests.support.service_processes import Guest

MIGRATION = "0006_site_version.py"
"""The first that came when a release was out; all since are tried together."""
ARTICLE = f"{BLOG}/article"
LOST = "Please enter a comment"
"""What that release answers now and then on a busy machine: its threads shared a sanitiser, and lost a text by it."""
AROUND = 1.0
"""Seconds for which the old release is under load before the update, and after it."""


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """The sources of the release before."""
    return previous_release.unpack(MIGRATION, tmp_path / "before")


@pytest.fixture
def settings(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings of a service that has no tables yet."""
    folder = tmp_path / "data"
    folder.mkdir()
    if engine_name == "sqlite":
        yield Settings.from_env(environment(folder))
        return
    server = request.getfixturevalue("postgresql_server")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE earlier"))
    url = engine.url.set(database="earlier").render_as_string(hide_password=False)
    yield Settings.from_env(environment(folder, COMMENTSVC_DATABASE_URL=url))
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE earlier WITH (FORCE)"))
    engine.dispose()


def write_and_read(port: int, name: str, done: threading.Event) -> list[int]:
    """Write and read until `done`; return what was acknowledged."""
    guest, acknowledged = Guest(port, name), []
    while not done.is_set():
        turn = len(acknowledged)
        answer = guest.post(ARTICLE, f"{name} says {turn}", key=f"{name}-{turn}")
        if answer.status == 422 and LOST in str(answer.body):
            continue
        assert answer.status == 200, answer
        acknowledged.append(answer.id)
        status, shown = guest.read(ARTICLE)
        assert status == 200
        assert shown
    guest.connection.close()
    return acknowledged


def wait(seconds: float, workers: list[Future[list[int]]]) -> None:
    """Let them work; what one of them meets is raised at once."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for worker in workers:
            if worker.done():
                worker.result()
        time.sleep(0.05)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_the_release_before_serves_while_the_database_is_brought_up_to_date(
    settings: Settings, before: Path, tmp_path: Path
) -> None:
    old = {"PYTHONPATH": str(before), "PYTHONSAFEPATH": "1"}  # not the sources in the working directory
    new = environment(tmp_path / "data", COMMENTSVC_DATABASE_URL=settings.database_url)
    done = threading.Event()
    with (
        ThreadPoolExecutor(4) as pool,
        service_processes.service(settings, tmp_path / "old", environ=old) as running,
    ):
        _add_site(new | old, tmp_path)
        workers = [pool.submit(write_and_read, running.port, f"writer{n}", done) for n in range(4)]
        try:
            wait(AROUND, workers)
            assert not _is_up_to_date(settings)
            with processes.running(tmp_path / "upgrade", new, "-m", "commentsvc", "upgrade") as upgrade:
                assert upgrade.child.wait(processes.PATIENCE) == 0, upgrade.said()
            assert "brought up to date" in upgrade.said()
            assert _is_up_to_date(settings)
            wait(AROUND, workers)
        finally:
            done.set()
        acknowledged = [number for worker in workers for number in worker.result()]
        sentence = running.process.said()
        assert "Traceback" not in sentence
        assert '" 50' not in sentence

    with service_processes.service(settings, tmp_path / "new") as running:
        guest = Guest(running.port, "later")
        answer = guest.post(ARTICLE, "And now the new one", key="new")
        assert answer.status == 200
        assert answer.body["count"] == len(acknowledged) + 1
        guest.connection.close()


def _add_site(environ: dict[str, str], folder: Path) -> None:
    """Add a site by the old release's own command, and let everybody write there."""
    arguments = ["-m", "commentsvc", "site", "add", "Blog", BLOG]
    with processes.running(folder / "site", environ, *arguments) as command:
        assert command.child.wait(processes.PATIENCE) == 0, command.said()
    engine = create_engine(environ["COMMENTSVC_DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE site SET policy = 'open', valve = :off"), {"off": False})
    engine.dispose()


def _is_up_to_date(settings: Settings) -> bool:
    engine = create_engine(settings.database_url)
    try:
        return migrations.is_up_to_date(engine)
    finally:
        engine.dispose()
