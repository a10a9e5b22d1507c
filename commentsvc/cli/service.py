"""The settings, the application and the database sessions of the commands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

import click
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.app import CHANGES
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db, sqlite_file
from commentsvc.domain.sites import embed_lines
from commentsvc.errors import CommentsvcError
from commentsvc.integrations import migrations, settings_file
from commentsvc.models import Thread


class UnusableDatabaseError(CommentsvcError):
    """The database refused; the message names it, and says what to do if that is known."""

    def __init__(self, url: str, message: str) -> None:
        first = (message.strip().splitlines() or ["it did not say why"])[0]
        advice = next((f" {text}" for sign, text in _ADVICE.items() if sign in message), "")
        super().__init__(f"The database {without_password(url)} cannot be used: {first}.{advice}")


_BROKEN = "Restore it from a backup (docs/backups.md)."
_NO_SPACE = "Free some space on its disk, or replace it if it is faulty."
_ADVICE = {
    "file is not a database": _BROKEN,
    "is malformed": _BROKEN,
    "disk is full": _NO_SPACE,
    "disk I/O error": _NO_SPACE,
    "file is missing": "Restore it from a backup (docs/backups.md).",
    "unable to open database file": "Its directory must exist, and your user must be allowed to write there.",
    "readonly database": "Run this as the user that the file and its directory belong to.",
    "permission denied for schema": "Its user must own it: createdb -O USER NAME, or ALTER DATABASE … OWNER TO …",
}
"""What to do, by a part of the database's error message."""


class OutdatedSchemaError(CommentsvcError):
    """The database has the schema of another release, or is empty."""

    def __init__(self) -> None:
        super().__init__(
            "The database is not ready for this version. `commentsvc init` creates a new one, "
            "`commentsvc upgrade` migrates an older one."
        )


class LostDatabaseError(CommentsvcError):
    """The service ran with this data directory before, and its SQLite file is gone."""

    def __init__(self, file: Path, trace: Path) -> None:
        super().__init__(
            f"The database {file} is missing, although the service ran here before. "
            f"Restore it from a backup (docs/backups.md). To begin with an empty one instead, delete {trace}."
        )


def settings() -> Settings:
    """Return the settings of the environment and `settings.env`; raises SettingsError."""
    return settings_file.settings(os.environ)


class Application:
    """The WSGI application with its settings and its engine, which has no open connections."""

    def __init__(self, settings: Settings) -> None:
        """Raises LostDatabaseError."""
        _require_database_of_before(settings)
        self.settings = settings
        self.wsgi = create_app(settings)
        with self.wsgi.app_context():
            self.engine = db.engine

    @contextmanager
    def in_use(self) -> Iterator[Engine]:
        """Enter the application context; close all connections at its end, so that workers open their own.

        Raises UnusableDatabaseError if the database refuses something in it.
        """
        with self.wsgi.app_context():
            try:
                yield self.engine
            except DBAPIError as error:
                raise UnusableDatabaseError(self.settings.database_url, str(error.orig)) from error
            finally:
                self.engine.dispose()

    def bring_up_to_date(self) -> bool:
        """Run pending migrations; return whether there were any."""
        with self.in_use() as engine:
            if migrations.is_up_to_date(engine):
                return False
            migrations.bring_up_to_date()
            return True

    def show_one_thread(self) -> None:
        """Render the latest thread and its count once before forking, so that the workers share the memory for it.

        The first page of a process compiles templates and statements, and loads the compilers. In each worker that
        would cost 10 MB, and 60 ms of its first reader's time.
        """
        with self.in_use() as engine, engine.connect() as connection:
            url = connection.scalar(select(Thread.url).order_by(Thread.id.desc()).limit(1))
        if url is None:
            return
        for path in ("/embed", "/counts"):
            environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": urlencode({"url": url})}
            setup_testing_defaults(environ)  # Flask's test client would load a debugger
            with self.wsgi.request_context(environ), suppress(Exception):
                self.wsgi.full_dispatch_request()  # an error will show when a reader requests the page
        self.engine.dispose()


def _require_database_of_before(settings: Settings) -> None:
    """Raise LostDatabaseError rather than let an empty database take the place of a lost one.

    Every start leaves the file of the change signal in the data directory.
    """
    file, trace = sqlite_file(settings.database_url), settings.data_dir / CHANGES
    if file and file.parent == settings.data_dir and trace.exists() and not file.exists():
        raise LostDatabaseError(file, trace)


def bring_up_to_date(settings: Settings) -> bool:
    """Run pending migrations; return whether there were any."""
    return Application(settings).bring_up_to_date()


@contextmanager
def migrated(settings: Settings) -> Iterator[Engine]:
    """Yield the engine of a database that has every migration; raises OutdatedSchemaError."""
    with Application(settings).in_use() as engine:
        if not migrations.is_up_to_date(engine):
            raise OutdatedSchemaError
        yield engine


@contextmanager
def opened(settings: Settings) -> Iterator[Session]:
    """Yield a database session that reads, or whose user commits; raises OutdatedSchemaError."""
    with migrated(settings) as engine, Session(engine, expire_on_commit=False) as session:
        yield session


@contextmanager
def committed(session: Session) -> Iterator[None]:
    """Begin a writing transaction in an open session; commit at the end."""
    session.rollback()
    begin_write(session)
    yield
    session.commit()


@contextmanager
def writing(settings: Settings) -> Iterator[Session]:
    """Yield a database session in a writing transaction; commit at the end. Raises OutdatedSchemaError."""
    with opened(settings) as session:
        begin_write(session)
        yield session
        session.commit()


def show_snippet(settings: Settings) -> None:
    """Print the lines that show comments on a page."""
    lines = embed_lines.thread(settings.base_url).replace("\n", "\n  ")
    click.echo(f"\nPaste this into your pages where the comments should appear:\n\n  {lines}")


def show_feed_lines(settings: Settings, origin: str) -> None:
    """Print the lines by which feed readers find the comments of a site."""
    lines = embed_lines.feeds(settings.base_url, origin).replace("\n", "\n  ")
    click.echo(
        f"\nAnd this into the head of your pages, so that feed readers find the comments:\n\n  {lines}"
    )


def without_password(url: str) -> str:
    """Return a URL with its password hidden."""
    user, at, rest = url.rpartition("@")
    name, colon, _ = user.rpartition(":") if at else ("", "", "")
    return f"{name}:…@{rest}" if colon and "//" in name else url
