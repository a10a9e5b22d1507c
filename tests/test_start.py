"""What a service loads before its first answer: what it needs for that, and not what few of them ever need."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

from conftest import environment

from commentsvc.cli import service
from commentsvc.config import Settings

HEAVY = {"alembic", "authlib", "cryptography", "flask_migrate", "joserfc", "psycopg", "redis", "requests"}
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
    print(gc.isenabled(), gc.get_freeze_count() > 100_000)
"""


def test_the_package_loads_nothing_before_the_command_says_so(tmp_path: Path) -> None:
    assert {"flask", "sqlalchemy", "granian"} & set(_said(LIGHT, tmp_path).split()) == set()


def test_a_command_looks_for_garbage_but_not_among_what_was_loaded(tmp_path: Path) -> None:
    assert _said(COLLECTED, tmp_path).splitlines()[-1] == "True True"


def test_a_worker_that_is_not_forked_makes_an_application_of_its_own(tmp_path: Path) -> None:
    mine = service.Application(Settings.from_env(environment(tmp_path)))
    other = pickle.loads(pickle.dumps(mine))
    assert other.settings == mine.settings
    assert other.wsgi is not mine.wsgi


def test_a_service_that_needs_no_logins_and_no_migration_loads_none_of_it(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    (tmp_path / "comments.sqlite").write_bytes(migrated_sqlite.read_bytes())
    assert HEAVY & set(_said(SERVE_ONE_PAGE, tmp_path).split()) == set()


def _said(program: str, folder: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
