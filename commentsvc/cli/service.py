"""What commands work with: the settings, and the database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.adapters import schema, settings_file
from commentsvc.config import Settings
from commentsvc.db import begin_write, db
from commentsvc.errors import CommentsvcError


class OutdatedSchemaError(CommentsvcError):
    """The database was made by another release, or is empty."""

    def __init__(self) -> None:
        super().__init__(
            "The database is not ready for this version. `commentsvc init` makes a new one, "
            "`commentsvc upgrade` brings an older one up to date."
        )


def settings() -> Settings:
    """Return the settings of the environment and `settings.env`; raises SettingsError."""
    return Settings.from_env(settings_file.merged(os.environ))


def bring_up_to_date(settings: Settings) -> bool:
    """Run the migrations that have not run; return whether there were any."""
    with _application(settings):
        if schema.is_up_to_date(db.engine):
            return False
        schema.bring_up_to_date()
        return True


@contextmanager
def opened(settings: Settings) -> Iterator[Session]:
    """A database session that reads, or commits by itself; raises OutdatedSchemaError."""
    with _application(settings):
        if not schema.is_up_to_date(db.engine):
            raise OutdatedSchemaError
        with Session(db.engine, expire_on_commit=False) as session:
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


@contextmanager
def _application(settings: Settings) -> Iterator[None]:
    """The application's context; its database connections are closed at the end, so that workers open their own."""
    with create_app(settings).app_context():
        try:
            yield
        finally:
            db.engine.dispose()
