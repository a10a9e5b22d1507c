"""What a service loads before its first answer: what it needs for that, and not what few of them ever need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conftest import environment

HEAVY = {"alembic", "authlib", "cryptography", "flask_migrate", "joserfc", "psycopg", "redis", "requests"}
SERVE_ONE_PAGE = """
import os, sys
from commentsvc import cli, create_app
from commentsvc.cli import service
service.bring_up_to_date(service.settings())
assert create_app().test_client().get("/healthz").status_code == 200
print(*sorted(sys.modules))
"""


def test_a_service_that_needs_no_logins_and_no_migration_loads_none_of_it(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    (tmp_path / "comments.sqlite").write_bytes(migrated_sqlite.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", SERVE_ONE_PAGE],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert HEAVY & set(done.stdout.split()) == set()
