"""Runs and checks the migrations of the database schema; the only importer of Alembic and Flask-Migrate."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Engine, inspect, text

from commentsvc.db.session import db, sqlite_file
from commentsvc.errors import NewerDatabaseError
from commentsvc.integrations import full_text
from commentsvc.models.keys import HASH_KEY

_REVISION = re.compile(r'^(down_)?revision = "(\w+)"$', re.MULTILINE)


def directory() -> Path:
    """Return the directory of the migrations: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def is_modelled(_item: object, name: str | None, kind: str, *_: object) -> bool:
    """Tell Alembic which tables have a model; those of the search and of the hash key exist only in migrations."""
    return kind != "table" or not (full_text.is_index(name) or name == HASH_KEY.name)


def bring_up_to_date() -> None:
    """Run all pending migrations; needs an application context."""
    from flask_migrate import upgrade  # here, because it takes a tenth of the memory

    register()
    upgrade(directory=str(directory()))


def register() -> None:
    """Register Flask-Migrate with the current application."""
    from flask import current_app
    from flask_migrate import Migrate

    if "migrate" not in current_app.extensions:
        Migrate(current_app, db, directory=str(directory()), compare_type=True, render_as_batch=True)


def is_up_to_date(engine: Engine) -> bool:
    """Return whether the database has every migration of this release.

    A SQLite file that does not exist has none. Raises NewerDatabaseError if the database has a migration that this
    release does not know.
    """
    if (file := sqlite_file(engine.url)) and file.parent.is_dir() and not file.exists():
        return False
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        run = set(connection.scalars(text("SELECT version_num FROM alembic_version")))
    known, followed = _migrations()
    if not run <= known:
        raise NewerDatabaseError
    return run == known - followed


def _migrations() -> tuple[set[str], set[str]]:
    """Return all revisions, and those that another revision follows."""
    matches = [
        match
        for file in (directory() / "versions").glob("*.py")
        for match in _REVISION.finditer(file.read_text())
    ]
    return {match[2] for match in matches if not match[1]}, {match[2] for match in matches if match[1]}
