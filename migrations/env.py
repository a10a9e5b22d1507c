"""How Alembic runs our migrations: with the application's own engine and metadata."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from commentsvc.adapters import schema
from commentsvc.db import Base, UTCDateTime, db


def render_item(kind: str, item: object, _context: object) -> str | bool:
    """Name our own column type shortly; the template imports it."""
    return "UTCDateTime()" if kind == "type" and isinstance(item, UTCDateTime) else False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_item=render_item,
        include_object=schema.is_modelled,
        render_as_batch=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _enforce_foreign_keys(connection: Connection, on: bool) -> None:
    """Switch SQLite's foreign keys: rebuilding a table drops the old one, which must not cascade to its children.

    Asked of the driver itself, since SQLite ignores the switch inside a transaction.
    """
    if connection.dialect.name == "sqlite":
        connection.rollback()
        connection.connection.cursor().execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


def main() -> None:
    if context.is_offline_mode():
        url = current_app.config["SQLALCHEMY_DATABASE_URI"]
        context.configure(url=url, target_metadata=Base.metadata, literal_binds=True, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    with db.engine.connect() as connection:
        _enforce_foreign_keys(connection, False)
        try:
            run(connection)
        finally:
            _enforce_foreign_keys(connection, True)


main()
