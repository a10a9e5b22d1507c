"""The database: one declarative base, UTC times, and how a transaction begins on each engine."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session
from sqlalchemy.pool import Pool
from sqlalchemy.types import TypeDecorator

from commentsvc import floor

# Named constraints, or SQLite's batch migrations could not drop one.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
BUSY_TIMEOUT_MS = 15_000
OTHERS_POST = 0.005
"""Seconds in which another process has written a comment, as a rule; so long the first in the queue keeps the floor."""
ASK_AGAIN, ASK_LATER = 0.0001, 0.001
"""Seconds between two attempts, within that time and after it; SQLite itself counts no less than a thousandth."""
_BEGIN, _LOCKED = "BEGIN IMMEDIATE", "database is locked"
_WRITE = "commentsvc_write"
_TURN = "commentsvc_turn"
_WRITTEN = "commentsvc_written"

Listener = Callable[[tuple[int, str] | None], None]
_turns: WeakKeyDictionary[Engine, Lock] = WeakKeyDictionary()
_listeners: WeakKeyDictionary[Engine, Listener] = WeakKeyDictionary()


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite would give back a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time has no place in the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def begin_write(session: Session) -> None:
    """Begin a transaction that will write.

    On SQLite it takes the write lock now and waits its turn. A transaction that reads first and writes
    later would instead fail at once with "database is locked" when another writer came between.
    """
    session.rollback()
    connection = session.connection(execution_options={_WRITE: True})
    session.info[_WRITTEN] = (connection.engine, None)


def connect_to_write(engine: Engine) -> Connection:
    """Return a connection whose every transaction begins as by `begin_write`."""
    return engine.connect().execution_options(**{_WRITE: True})


def concerns_only(session: Session, site_id: int, key: str) -> None:
    """Say that the transaction under way changes what readers see of this one thread, and nothing else of theirs."""
    engine, _ = session.info[_WRITTEN]
    session.info[_WRITTEN] = (engine, (site_id, key))


def on_commit(engine: Engine, listener: Listener) -> None:
    """Have `listener` called after each commit of a write: with a thread's site and key, or None for anything."""
    _listeners[engine] = listener


def engine_options(url: str) -> dict[str, Any]:
    """What `create_engine` needs beside the URL; the pool is per process."""
    if url.startswith("sqlite"):
        connect = {"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False}
        return {"connect_args": connect, "pool_use_lifo": True}  # the latest remembers most of the file
    return {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 10}


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None  # the driver must not begin transactions by itself
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",  # an acknowledged comment survives a power cut
        "foreign_keys = ON",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    if connection.get_execution_options().get(_WRITE, False):
        _begin_in_turn(connection)
    else:
        raw: Any = connection.connection.driver_connection
        raw.execute("BEGIN")  # cannot fail: nothing is locked before the first read


def _begin_in_turn(connection: Connection) -> None:
    """Take SQLite's write lock; of the writers in this process only the first in the queue asks for it.

    Left to itself SQLite has every writer ask again after ever longer pauses, up to a tenth of a second, and whoever
    has waited longest asks least.
    """
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    turn = _turns.setdefault(connection.engine, Lock())
    if _TURN not in connection.info:  # else it is ours since the transaction before
        if not _waited(lambda seconds: turn.acquire(timeout=seconds), 0, until):
            raise OperationalError(_BEGIN, None, sqlite3.OperationalError(_LOCKED))
        connection.info[_TURN] = turn
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        if not _waited(lambda seconds: _asked(raw, seconds), OTHERS_POST, until):
            raise sqlite3.OperationalError(_LOCKED)
    except sqlite3.Error as error:
        _end_turn(None, connection)
        raise OperationalError(_BEGIN, None, error) from error
    finally:
        raw.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


def _waited(attempt: Callable[[float], bool], patience: float, until: float) -> bool:
    """Try for some seconds; then `until` that time, and let others go on meanwhile."""
    if attempt(patience):
        return True
    with floor.left():
        return attempt(max(0.0, until - time.monotonic()))


def _asked(raw: sqlite3.Connection, seconds: float) -> bool:
    """Ask for the lock again and again, for so many seconds."""
    ends = time.monotonic() + seconds
    pause = ASK_AGAIN if seconds <= OTHERS_POST else ASK_LATER
    while not _begun(raw):
        if time.monotonic() > ends:
            return False
        time.sleep(pause)
    return True


def _begun(raw: sqlite3.Connection) -> bool:
    try:
        raw.execute(_BEGIN)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


@event.listens_for(Pool, "checkin")
@event.listens_for(Pool, "invalidate")
def _end_turn(_raw: Any, record: Any, *_: Any) -> None:
    if turn := record.info.pop(_TURN, None):
        turn.release()


@event.listens_for(Session, "before_flush")
def _flush_only_when_writing(session: Session, _context: Any, _instances: Any) -> None:
    _require_write(session)


@event.listens_for(Session, "do_orm_execute")
def _execute_only_when_writing(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        _require_write(state.session)


@event.listens_for(Session, "after_commit")
def _tell(session: Session) -> None:
    if session.in_nested_transaction():
        return
    engine, thread = session.info.pop(_WRITTEN, (None, None))
    if listener := _listeners.get(engine) if engine is not None else None:
        listener(thread)


def _require_write(session: Session) -> None:
    """A forgotten `begin_write` shows in the first test, not as a locked database in production."""
    if not session.connection().get_execution_options().get(_WRITE, False):
        raise RuntimeError("begin_write(session) must come before the first change")
