"""The database's schema: brought up to date, and checked. The only importer of Alembic and Flask-Migrate."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import Migrate, upgrade
from sqlalchemy import Engine

from commentsvc.adapters import fulltext
from commentsvc.db import db

migrate = Migrate(db=db, compare_type=True, render_as_batch=True)


def directory() -> Path:
    """Return where the migrations lie: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def is_modelled(_item: object, name: str | None, kind: str, *_: object) -> bool:
    """Tell Alembic's comparison which tables have a model; those of the search are the migrations' own."""
    return kind != "table" or not fulltext.is_index(name)


def bring_up_to_date() -> None:
    """Run all migrations not run yet; needs an application context."""
    upgrade(directory=str(directory()))


def is_up_to_date(engine: Engine) -> bool:
    """Return whether the database has every migration this release knows."""
    config = Config()
    config.set_main_option("script_location", str(directory()))
    with engine.connect() as connection:
        current = set(MigrationContext.configure(connection).get_current_heads())
    return current == set(ScriptDirectory.from_config(config).get_heads())
