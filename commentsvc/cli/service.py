"""What the commands work with: the settings and the database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.errors import CommentsvcError
from commentsvc.integrations import migrations, settings_file
from commentsvc.models import Thread


class UnusableDatabaseError(CommentsvcError):
    """The database refused; the sentence names it, and says what can be done where that is known."""

    def __init__(self, url: str, said: str) -> None:
        first = (said.strip().splitlines() or ["it did not say why"])[0]
        advice = next((f" {text}" for sign, text in _ADVICE.items() if sign in said), "")
        super().__init__(f"The database {without_password(url)} cannot be used: {first}.{advice}")


_BROKEN = "Restore it from a backup (docs/serving.md)."
_ADVICE = {
    "file is not a database": _BROKEN,
    "is malformed": _BROKEN,
    "unable to open database file": "Its directory must exist, and your user must be allowed to write there.",
    "readonly database": "Run this as the user that the file and its directory belong to.",
    "permission denied for schema": "Have its user own it: createdb -O USER NAME, or ALTER DATABASE … OWNER TO …",
}
"""What to do about it, by what a database says."""


class OutdatedSchemaError(CommentsvcError):
    """The database was made by another release, or is empty."""

    def __init__(self) -> None:
        super().__init__(
            "The database is not ready for this version. `commentsvc init` makes a new one, "
            "`commentsvc upgrade` brings an older one up to date."
        )


def settings() -> Settings:
    """Return the settings of the environment and `settings.env`; raises SettingsError."""
    return settings_file.settings(os.environ)


class Application:
    """The service's application with its settings and its database, which nobody is connected to."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.wsgi = create_app(settings)
        with self.wsgi.app_context():
            self.engine = db.engine

    @contextmanager
    def in_use(self) -> Iterator[Engine]:
        """Its context; the connections made in it are closed at the end, so that workers open their own.

        Raises UnusableDatabaseError for what the database refuses in it.
        """
        with self.wsgi.app_context():
            try:
                yield self.engine
            except DBAPIError as error:
                raise UnusableDatabaseError(self.settings.database_url, str(error.orig)) from error
            finally:
                self.engine.dispose()

    def bring_up_to_date(self) -> bool:
        """Run the migrations that have not run; return whether there were any."""
        with self.in_use() as engine:
            if migrations.is_up_to_date(engine):
                return False
            migrations.bring_up_to_date()
            return True

    def show_one_thread(self) -> None:
        """Show the latest thread to nobody, and its count, so that the workers share what that takes.

        The first page of a process compiles templates and statements, and touches all that compiling needs, which
        each worker would copy for itself: 10 MB, and 60 ms of its first reader's time.
        """
        with self.in_use() as engine, engine.connect() as connection:
            url = connection.scalar(select(Thread.url).order_by(Thread.id.desc()).limit(1))
        if url is None:
            return
        for path in ("/embed", "/counts"):
            environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": urlencode({"url": url})}
            setup_testing_defaults(environ)  # Flask's own would load a debugger
            with self.wsgi.request_context(environ), suppress(Exception):
                self.wsgi.full_dispatch_request()  # a page that fails does so where a reader asks for it
        self.engine.dispose()


def bring_up_to_date(settings: Settings) -> bool:
    """Run the migrations that have not run; return whether there were any."""
    return Application(settings).bring_up_to_date()


@contextmanager
def opened(settings: Settings) -> Iterator[Session]:
    """A database session that reads, or commits by itself; raises OutdatedSchemaError."""
    with Application(settings).in_use() as engine:
        if not migrations.is_up_to_date(engine):
            raise OutdatedSchemaError
        with Session(engine, expire_on_commit=False) as session:
            yield session


@contextmanager
def writing(settings: Settings) -> Iterator[Session]:
    """A database session in a writing transaction, committed at the end; raises OutdatedSchemaError."""
    with opened(settings) as session:
        begin_write(session)
        yield session
        session.commit()


def without_password(url: str) -> str:
    """Return an address as it may be shown."""
    user, at, rest = url.rpartition("@")
    name, colon, _ = user.rpartition(":") if at else ("", "", "")
    return f"{name}:…@{rest}" if colon and "//" in name else url
