"""The stop of all changes while the service moves to another database.

Every transaction that writes looks for it under the lock that it has anyway (SQLite), or under a lock that it shares
with the other writers (PostgreSQL). Whoever sets the stop needs that lock for itself. So once the stop is committed, no
transaction runs that has not seen it, in any process on any machine.

A stop whose time is over, because the process that moves the service died, is deleted by the first transaction that
writes. The mover therefore knows by its row, and not by a clock, that nothing was changed meanwhile.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, text

from commentsvc.errors import ServiceMovingError

TABLE = "service_move"
CLOCKS = {
    "sqlite": "CAST(strftime('%s', 'now') AS INTEGER)",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) AS bigint)",
}
"""The database's clock in SQL: the clocks of machines differ."""

_engines: WeakSet[Engine] = WeakSet()


def obey(engine: Engine) -> None:
    """Refuse writing transactions of an engine while its database has a stop; its schema must have the table."""
    _engines.add(engine)


def require_none(connection: Connection) -> None:
    """Raise ServiceMovingError if a transaction that has just begun must not write; it is rolled back then."""
    if connection.engine not in _engines:
        return
    raw: Any = connection.connection.driver_connection
    try:
        if _stands(raw, connection.dialect.name):
            raise ServiceMovingError
    except BaseException:
        with suppress(connection.dialect.loaded_dbapi.Error):
            raw.rollback()
        raise


def stands(engine: Engine) -> bool:
    """Whether changes are refused at the moment, for callers that wait rather than try."""
    valid = f"SELECT 1 FROM {TABLE} WHERE expires IS NULL OR expires > {CLOCKS[engine.dialect.name]}"  # noqa: S608 - our own
    with engine.connect() as connection:
        return connection.scalar(text(valid)) is not None


def _stands(raw: Any, dialect: str) -> bool:
    if dialect == "postgresql":
        raw.execute(f"LOCK TABLE {TABLE} IN ACCESS SHARE MODE")
    row = raw.execute(f"SELECT expires <= {CLOCKS[dialect]} FROM {TABLE}").fetchone()  # noqa: S608 - our own
    if row is None:
        return False
    if not row[0]:
        return True
    raw.execute(f"DELETE FROM {TABLE} WHERE expires <= {CLOCKS[dialect]}")  # noqa: S608 - our own
    return raw.execute(f"SELECT 1 FROM {TABLE}").fetchone() is not None  # noqa: S608 - renewed in between
