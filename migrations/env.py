"""Runs the migrations with the application's engine and metadata; Alembic loads this file."""

from __future__ import annotations

import time
from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, event

from commentsvc.db.session import Base, UTCDateTime, connect_to_migrate, db
from commentsvc.integrations import migrations

BUSY = ("site", "origin", "thread", "thread_alias", "ban", "comment", "decision")
"""In the order in which posts and pages take them."""
ATTEMPTS = (0.4, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)
"""Seconds to wait for all of them, and everybody behind us; after the last the migration gives up."""


def render_item(kind: str, item: object, _context: object) -> str | bool:
    """Name our own column type shortly; the template imports it."""
    return "UTCDateTime()" if kind == "type" and isinstance(item, UTCDateTime) else False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        render_item=render_item,
        include_object=migrations.is_modelled,
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


def _take_busy_tables(connection: Connection) -> None:
    """Have the tables of every post to ourselves before the first change, or wait without any of them.

    A migration that took one after the other while the release before serves would meet somebody who took them in
    another order, and PostgreSQL would end one of the two. Who waits behind us waits for moments only.
    """
    if connection.dialect.name != "postgresql":
        return
    raw: Any = connection.connection.driver_connection
    raw.begin(
        to_write=True, unlimited=True
    )  # the engines' listener does it too, but SQLAlchemy calls it after this one
    rows = raw.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    present = {row[0] for row in rows}
    if not (names := ", ".join(name for name in BUSY if name in present)):
        return
    for seconds in ATTEMPTS:
        raw.execute(f"SET LOCAL lock_timeout = '{seconds}s'")
        raw.execute("SAVEPOINT tables")
        try:
            raw.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
            break
        except connection.dialect.loaded_dbapi.OperationalError:
            raw.execute("ROLLBACK TO SAVEPOINT tables")  # with it go the tables it had
            if seconds == ATTEMPTS[-1]:
                raise
        time.sleep(ATTEMPTS[0])
    raw.execute("SET LOCAL lock_timeout = 0")


def main() -> None:
    if context.is_offline_mode():
        url = current_app.config["SQLALCHEMY_DATABASE_URI"]
        context.configure(url=url, target_metadata=Base.metadata, literal_binds=True, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    with connect_to_migrate(db.engine) as connection:
        _enforce_foreign_keys(connection, False)
        event.listen(connection, "begin", _take_busy_tables)
        try:
            run(connection)
        finally:
            _enforce_foreign_keys(connection, True)


main()
