"""The database that the service moves to: it must be empty, and takes everything in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Engine, delete, exists, func, insert, inspect, null, select, text, update
from sqlalchemy.exc import DataError, IntegrityError

from commentsvc.db import write_stop
from commentsvc.db.session import Base, connect_unlimited
from commentsvc.domain.service_move import source_stop
from commentsvc.domain.service_move.tables import TABLES, batches, portable
from commentsvc.errors import MoveError
from commentsvc.models import MoveState, ServiceMove, WorkRound, now
from commentsvc.models.keys import HASH_KEY

_MADE_AT_START = (HASH_KEY.name, WorkRound.__tablename__)
"""What a service writes at its first start, before anybody uses it."""


def require_own_or_new(engine: Engine) -> None:
    """Raise MoveError if the database has tables of something else; call it before the migrations."""
    names = inspect(engine).get_table_names()
    if names and "alembic_version" not in names:
        raise MoveError(
            f"The other database has tables that are not ours, such as {min(names)}. Nothing was written."
        )


def require_empty(connection: Connection) -> None:
    """Raise MoveError if somebody has used the database; call it after the migrations."""
    tables = [
        table
        for table in (*TABLES, Base.metadata.tables[write_stop.TABLE])
        if table.name not in _MADE_AT_START
    ]
    used = [table.name for table in tables if connection.scalar(select(exists().select_from(table)))]
    if used:
        raise MoveError(
            f"The other database is not empty (it has rows in {', '.join(used[:3])}), so nothing was written. "
            "Create a new one."
        )


def prepare(connection: Connection) -> None:
    """Keep others from writing until the transaction ends, and clear what a first start has left; raises MoveError."""
    source_stop.lock_out_writers(connection)
    require_empty(connection)
    for table in TABLES:
        if table.name in _MADE_AT_START:
            connection.execute(delete(table))


def copy_table(source: Connection, target: Connection, number: int, stop: source_stop.SourceStop) -> int:
    """Copy the table with this number in `TABLES`; return how many texts had a NUL character. Raises MoveError."""
    table, changed = TABLES[number], 0
    without_nul = target.dialect.name == "postgresql"
    parents = [key.parent.name for key in table.foreign_keys if key.column.table is table]
    later: list[tuple[int, dict[str, Any]]] = []
    try:
        for batch in batches(source, table):
            stop.require()
            rows = [portable(row._mapping, without_nul=without_nul) for row in batch]
            changed += sum(_changes(row._mapping, values) for row, values in zip(batch, rows, strict=True))
            for values in rows if parents else ():
                if ahead := {name: values[name] for name in parents if (values[name] or 0) > values["id"]}:
                    values |= dict.fromkeys(ahead)
                    later.append((values["id"], ahead))
            target.execute(insert(table), rows)
        for row_id, ahead in later:  # a parent with a higher number, which was not there yet
            target.execute(update(table).where(table.c.id == row_id).values(ahead))
    except (DataError, IntegrityError) as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise MoveError(
            f"The other database refuses a row of the table {table.name}, so nothing was written: {reason}"
        ) from None
    return changed


def continue_numbers(connection: Connection) -> None:
    """Let PostgreSQL number new rows after those that were copied; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in TABLES:
        if "id" in table.c:
            sequence = func.pg_get_serial_sequence(f'"{table.name}"', "id")  # NULL for a table without one
            highest = select(func.max(table.c.id)).scalar_subquery()
            connection.execute(
                select(func.setval(sequence, func.coalesce(highest, 1), highest.is_not(null())))
            )


def mark_arriving(connection: Connection, token: str, source: str) -> None:
    """Refuse changes here until the source is marked as moved, or comments might be written in both."""
    values = {"state": MoveState.ARRIVING, "token": token, "other": source, "began_at": now()}
    connection.execute(insert(ServiceMove).values(id=1, expires=None, **values))


def mark_arrived(connection: Connection, token: str) -> None:
    """Accept changes here."""
    connection.execute(delete(ServiceMove).where(ServiceMove.token == token))


def analyse(engine: Engine) -> None:
    """Let PostgreSQL collect statistics on its new tables; otherwise its first queries would be slow."""
    if engine.dialect.name == "postgresql":
        with connect_unlimited(engine) as connection:
            connection.execute(text("ANALYZE"))


def _changes(before: Mapping[Any, Any], after: Mapping[str, Any]) -> int:
    return sum(before[name] is not value for name, value in after.items())
