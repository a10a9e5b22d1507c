"""What a service loads before its first answer: what it needs for that, and not what few of them ever need."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from flask import request
from sqlalchemy import event
from sqlalchemy.orm import Session

from commentsvc.cli import NEWEST, service
from commentsvc.config import Settings
from commentsvc.domain.threads import threads
from commentsvc.models import Site
from tests.conftest import BLOG, environment
from tests.support import processes
from tests.support.comment_builders import Pen
from tests.support.service_processes import Guest

HEAVY = {"PIL", "alembic", "authlib", "cryptography", "flask_migrate", "joserfc", "psycopg"}
HEAVY |= {"feedparser", "publicsuffixlist", "redis", "requests"}
SERVE_ONE_PAGE = """
import os, sys
from commentsvc import create_app
from commentsvc.cli import commands, service
service.bring_up_to_date(service.settings())
assert create_app().test_client().get("/healthz").status_code == 200
print(*sorted(sys.modules))
"""

LIGHT = """
import sys
import commentsvc.cli
print(*sorted(sys.modules))
"""
COLLECTED = """
import gc
from commentsvc import cli
try:
    cli.main()
except SystemExit:
    print(gc.isenabled(), gc.get_freeze_count() > 100_000, gc.get_threshold()[0])
"""
LISTING = """
import sys
from commentsvc.serving import stack
wrap = stack.wrap

def listing(app, layers):
    def answer(environ, start):
        if environ["PATH_INFO"] != "/modules":
            return app(environ, start)
        start("200 OK", [("Content-Type", "text/plain")])
        return [" ".join(sys.modules).encode()]
    return wrap(answer, layers)

stack.wrap = listing
from commentsvc.cli import commands
commands.main()
"""


def test_the_package_loads_nothing_before_the_command_says_so(tmp_path: Path) -> None:
    assert {"flask", "sqlalchemy", "granian"} & set(_said(LIGHT, tmp_path).split()) == set()


def test_a_command_looks_for_garbage_now_and_then_but_not_among_what_was_loaded(tmp_path: Path) -> None:
    assert _said(COLLECTED, tmp_path).splitlines()[-1] == f"True True {NEWEST}"


def test_a_data_directory_is_its_users_alone_under_any_server(tmp_path: Path) -> None:
    service.Application(Settings.from_env(environment(tmp_path / "data")))
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_an_application_starts_no_thread_before_the_server_forks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[threading.Thread] = []
    monkeypatch.setattr(threading.Thread, "start", lambda thread: started.append(thread))
    service.Application(settings)
    assert started == []


def test_a_service_that_needs_no_logins_and_no_migration_loads_none_of_it(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    (tmp_path / "comments.sqlite").write_bytes(migrated_sqlite.read_bytes())
    assert HEAVY & set(_said(SERVE_ONE_PAGE, tmp_path).split()) == set()


def test_a_process_that_answers_readers_loads_only_what_answers_need(
    settings: Settings, site: Site, session: Session, tmp_path: Path
) -> None:
    """A guest reads and writes, as most people do; logins, imports and mail need more, when they come."""
    session.commit()
    port = processes.free_port()
    variables = environment(tmp_path / "data", COMMENTSVC_DATABASE_URL=settings.database_url)
    arguments = ["-c", LISTING, "serve", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    with processes.running(tmp_path / "output", variables, *arguments):
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        guest = Guest(port, "anna")
        assert guest.post(f"{BLOG}/read/", "Hello", key="k" * 20).status == 200
        assert guest.read(f"{BLOG}/read/")[0] == 200
        loaded = set(guest.get("/modules").split())
        guest.connection.close()
    assert "flask" in loaded
    assert (HEAVY | {"smtplib", "commentsvc.domain.transfer"}) & loaded == set()


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_what_showing_a_thread_takes_is_there_before_the_workers_are(
    settings: Settings, site: Site, session: Session
) -> None:
    Pen(session, threads.locate(session, url=f"{BLOG}/read/")).write()
    session.commit()
    mine = service.Application(settings)
    opened: list[object] = []
    closed: list[object] = []
    event.listen(mine.engine, "connect", lambda connection, _: opened.append(connection))
    event.listen(mine.engine, "close", lambda connection, _: closed.append(connection))
    assert not _templates(mine)
    mine.show_one_thread()
    assert "thread/page.html" in _templates(mine)
    assert opened
    assert closed == opened


def test_a_service_without_a_thread_starts(settings: Settings, site: Site) -> None:
    mine = service.Application(settings)
    mine.show_one_thread()
    assert not _templates(mine)


def test_a_thread_that_cannot_be_shown_keeps_no_service_from_its_start(
    settings: Settings, site: Site, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    Pen(session, threads.locate(session, url=f"{BLOG}/broken/")).write()
    session.commit()
    mine = service.Application(settings)
    asked: list[str] = []

    def fail() -> None:
        asked.append(request.args["url"])
        raise RuntimeError("broken")

    for view in ("thread.frame", "counts.counts"):
        monkeypatch.setitem(mine.wsgi.view_functions, view, fail)
    mine.show_one_thread()
    assert asked == [f"{BLOG}/broken/"] * 2


def _templates(application: service.Application) -> set[str]:
    cache = application.wsgi.jinja_env.cache
    return {name for _, name in (cache or {})}


def _said(program: str, folder: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
