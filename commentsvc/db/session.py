"""The declarative base, the UTC time type, and `begin_write`, which starts every transaction that writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL, Connection, DateTime, Dialect, Engine, MetaData, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session
from sqlalchemy.types import TypeDecorator

from commentsvc.db import write_stop
from commentsvc.db.sqlite import SharedDatabase

# SQLite's batch migrations can drop a constraint only by its name.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
CONNECT_WITHIN = 3
"""Timeout for connecting to PostgreSQL, in seconds."""
SILENT_FOR_MS = 10_000
"""How long PostgreSQL may leave sent data unacknowledged before the connection counts as lost."""
POOL_WITHIN = 3
"""Timeout for getting a connection from a pool that has no more, in seconds; our own threads never reach it."""
_WRITE = "commentsvc_write"
_UNLIMITED = "commentsvc_unlimited"
_DESPITE_STOP = "commentsvc_despite_stop"
_WRITTEN = "commentsvc_written"

Listener = Callable[[tuple[int, str] | None], None]
_listeners: WeakKeyDictionary[Engine, Listener] = WeakKeyDictionary()


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(model_class=Base)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time; without it SQLite would return a naive one."""

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
        if value.tzinfo is None:
            return datetime.combine(value, value.time(), UTC)  # `replace` takes seven times as long
        return value.astimezone(UTC)


def begin_write(session: Session, *, unlimited: bool = False) -> None:
    """Begin a transaction that will write; with `unlimited` it may take any time.

    On SQLite this waits for the write lock and takes it. A transaction that reads first and writes later would
    instead fail at once with "database is locked" if another writer came in between. This rolls back uncommitted
    changes and expires loaded objects, which are read again at their next use. Raises ServiceMovingError.
    """
    session.rollback()
    connection = session.connection(execution_options={_WRITE: True, _UNLIMITED: unlimited})
    session.info[_WRITTEN] = (connection.engine, None)


def begin_snapshot(session: Session) -> None:
    """Begin a transaction that reads everything as it is at one moment, and may take any time."""
    session.rollback()
    connection = session.connection(execution_options={_UNLIMITED: True})
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))


def connect_to_write(engine: Engine) -> Connection:
    """Return a connection whose every transaction begins as by `begin_write`."""
    return engine.connect().execution_options(**{_WRITE: True})


def connect_unlimited(engine: Engine) -> Connection:
    """Return a connection to PostgreSQL for statements outside of a transaction, such as VACUUM, without time limits.

    It does not return to the pool, because readers need the limits.
    """
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    raw: Any = connection.connection.driver_connection
    connection.detach()
    raw.lift_limits()
    return connection


def connect_to_migrate(engine: Engine) -> Connection:
    """Return a connection whose every transaction begins as by `begin_write`, and may take any time.

    It creates the SQLite file if there is none; nothing else does.
    """
    if file := sqlite_file(engine.url):
        file.touch(mode=0o600)
    return connect_despite_stop(engine)


def connect_despite_stop(engine: Engine) -> Connection:
    """Return a writing connection without a time limit, even while the service moves: for migrations and moves."""
    return engine.connect().execution_options(**{_WRITE: True, _UNLIMITED: True, _DESPITE_STOP: True})


def sqlite_file(url: URL | str) -> Path | None:
    """Return the file of a SQLite database; None for another engine, or if SQLite itself reads the URL."""
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or "uri" in parts.query:
        return None
    return Path(parts.database or "")


def limit_change_to(session: Session, site_id: int, key: str) -> None:
    """Declare that the current transaction changes what readers see in this thread only."""
    engine, _ = session.info[_WRITTEN]
    session.info[_WRITTEN] = (engine, (site_id, key))


def on_commit(engine: Engine, listener: Listener) -> None:
    """Call `listener` after each commit of a write: with the site id and key of the one changed thread, or None."""
    _listeners[engine] = listener


def engine_options(url: str) -> dict[str, Any]:
    """Return the arguments of `create_engine` other than the URL; the pool is per process.

    An error never names the values of its statement: it goes to the log, and they are people's texts and addresses.
    """
    common = {"hide_parameters": True, "pool_timeout": POOL_WITHIN}
    if url.startswith("sqlite"):
        shared = SharedDatabase(may_create=sqlite_file(url) is None)
        connect = {"factory": shared.connect, "check_same_thread": False}
        return {
            **common,
            "connect_args": connect,
            "pool_use_lifo": True,
        }  # the last used has the warmest page cache
    from commentsvc.db import postgresql  # here, because its driver is optional

    # The defaults are two minutes for a server that does not answer and 15 minutes for one that disappeared.
    patience = {"connect_timeout": CONNECT_WITHIN, "tcp_user_timeout": SILENT_FOR_MS}
    own = {name: value for name, value in patience.items() if name not in make_url(url).query}
    connect = {**own, "availability": postgresql.Availability()}
    return {**common, "pool_pre_ping": True, "pool_size": 10, "max_overflow": 10, "connect_args": connect}


@event.listens_for(Engine, "do_connect")
def _connect(dialect: Dialect, _record: Any, _arguments: Any, named: dict[str, Any]) -> Any:
    """Connect to PostgreSQL with our limits; None leaves it to the dialect."""
    if dialect.driver != "psycopg":
        return None
    from commentsvc.db import postgresql  # as above

    return postgresql.connect(named)


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    raw: Any = connection.connection.driver_connection
    if not hasattr(raw, "begin"):
        return
    options = connection.get_execution_options()
    try:
        raw.begin(to_write=_writes(connection), unlimited=bool(options.get(_UNLIMITED, False)))
        if _writes(connection) and not options.get(_DESPITE_STOP):
            write_stop.require_none(connection)
    except connection.dialect.loaded_dbapi.Error as error:
        if connection.dialect.is_disconnect(error, raw, None):
            connection.invalidate(error)
        raise OperationalError("BEGIN", None, error) from error


@event.listens_for(Session, "before_flush")
def _flush_only_when_writing(session: Session, _context: Any, _instances: Any) -> None:
    require_write(session)


@event.listens_for(Session, "do_orm_execute")
def _execute_only_when_writing(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        require_write(state.session)


@event.listens_for(Session, "after_commit")
def _announce_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    engine, thread = session.info.pop(_WRITTEN, (None, None))
    if listener := _listeners.get(engine) if engine is not None else None:
        listener(thread)


def require_write(session: Session) -> None:
    """Raise RuntimeError without `begin_write`: in the first test, not as a locked database in production."""
    if not _writes(session.connection()):
        raise RuntimeError("begin_write(session) must come before the first change")


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(_WRITE, False))
