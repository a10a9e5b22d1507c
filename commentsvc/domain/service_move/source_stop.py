"""Stops all changes in the database that the service leaves, for as long as the process that moves it lives."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    delete,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from commentsvc.db.session import connect_despite_stop
from commentsvc.db.sqlite import LOCKED
from commentsvc.db.write_stop import CLOCKS, TABLE
from commentsvc.errors import MoveError
from commentsvc.models import MoveState, ServiceMove, now

LASTS = 60
"""Seconds after which changes are accepted again if the process that moves the service has died."""
RENEW_EVERY = 10.0
LOCK_TRIES = 60
"""How often to try to get PostgreSQL's writers out of the way, for a second each time."""
_LOST = (
    "The move was given up, because changes were accepted again meanwhile (by `move --cancel`, or because this process "
    "stood still for a minute). The service goes on with its database."
)
_BUSY = "A large change is being stored right now, such as a restored archive. Try again when it is done."
_LOCK_NOT_AVAILABLE = "55P03"

log = logging.getLogger(__name__)


class SourceStop:
    """The stop of one move. It stands as long as its row is there: see `db/write_stop.py`."""

    def __init__(self, engine: Engine, token: str) -> None:
        self.token = token
        self._engine = engine
        self._mine = and_(ServiceMove.token == token, ServiceMove.state == MoveState.COPYING)
        self._ended = threading.Event()
        self._is_lost = False

    def require(self) -> None:
        """Raise MoveError if the stop has ended before its time, as far as is known."""
        if self._is_lost:
            raise MoveError(_LOST)

    def renew(self) -> None:
        """Let the stop last from now on; raises MoveError."""
        until: ColumnElement[int] = literal_column(f"{CLOCKS[self._engine.dialect.name]} + {LASTS}")
        with connect_despite_stop(self._engine) as connection, connection.begin():
            mine = update(ServiceMove).where(self._mine).values(expires=until)
            self._is_lost = not connection.execute(mine).rowcount
        self.require()

    def finish(self) -> None:
        """Refuse changes for good, because everything is in the other database; raises MoveError.

        It waits for every transaction that may have begun without the stop: if there was one, the row is gone.
        """
        with connect_despite_stop(self._engine) as connection, connection.begin():
            lock_out_writers(connection)
            done = update(ServiceMove).where(self._mine).values(state=MoveState.MOVED, expires=None)
            if not connection.execute(done).rowcount:
                raise MoveError(f"{_LOST} The copy in the other database must not be used: create a new one.")

    def end(self) -> None:
        """Accept changes again, unless the move is finished."""
        with connect_despite_stop(self._engine) as connection, connection.begin():
            connection.execute(delete(ServiceMove).where(self._mine))

    def keep_renewing(self) -> None:
        """Renew the stop until `stop_renewing`; for a thread."""
        while not self._ended.wait(RENEW_EVERY):
            try:
                self.renew()
            except MoveError:
                return
            except SQLAlchemyError:  # the next one may work; `finish` sees whether the row is still there
                log.exception("the stop of changes could not be renewed")

    def stop_renewing(self) -> None:
        """End the thread."""
        self._ended.set()


@contextmanager
def held(engine: Engine, other: str) -> Iterator[SourceStop]:
    """Stop all changes, and yield the stop; it ends with the block, unless the block has finished it.

    `other` is the URL of the other database, without a password. Raises MoveError if there is a move already.
    """
    stop = SourceStop(engine, secrets.token_hex(16))
    try:
        _begin(engine, stop.token, other)
    except DBAPIError as error:
        if LOCKED not in str(error.orig):
            raise
        raise MoveError(_BUSY) from None
    thread = threading.Thread(target=stop.keep_renewing, name="stop of changes", daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.stop_renewing()
        thread.join()
        try:
            stop.end()
        except SQLAlchemyError:  # the stop ends by itself
            log.exception("changes are refused for up to %d seconds more", LASTS)


def cancel(engine: Engine) -> ServiceMove | None:
    """Accept changes again in the database of a move; return the move, None if there was none. Raises MoveError."""
    with connect_despite_stop(engine) as connection, connection.begin():
        row = _row(connection)
        if row is not None and row.state is MoveState.ARRIVING:
            raise MoveError(
                f"This database has a copy from {row.other}, whose move was not completed. Cancel it there."
            )
        connection.execute(delete(ServiceMove))
    return row


def discard(engine: Engine) -> None:
    """Accept changes in a copy that was restored, whatever move the database had begun or completed back then."""
    with connect_despite_stop(engine) as connection, connection.begin():
        connection.execute(delete(ServiceMove))


def require_free(engine: Engine) -> None:
    """Raise MoveError if the service is being moved, or was moved, from this database."""
    with engine.connect() as connection:
        _require_free(connection)


def state_of(engine: Engine) -> ServiceMove | None:
    """Return the move of a database, finished or not."""
    with engine.connect() as connection:
        return _row(connection)


def lock_out_writers(connection: Connection) -> None:
    """Wait until no other transaction writes; none begins before this one ends. SQLite has one writer anyway."""
    if connection.dialect.name != "postgresql":
        return
    # Whoever wants to write waits behind us, so each attempt is short.
    for attempt in range(LOCK_TRIES):
        savepoint = connection.begin_nested()
        try:
            connection.execute(text("SET LOCAL lock_timeout = '1s'"))
            connection.execute(text(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE"))
        except DBAPIError as error:
            savepoint.rollback()
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            if attempt == LOCK_TRIES - 1:
                raise MoveError(_BUSY) from None
            time.sleep(0.2)
        else:
            savepoint.commit()
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            return


def _begin(engine: Engine, token: str, other: str) -> None:
    clock = CLOCKS[engine.dialect.name]
    with connect_despite_stop(engine) as connection, connection.begin():
        lock_out_writers(connection)
        _require_free(connection)
        connection.execute(delete(ServiceMove))
        values = {"state": MoveState.COPYING, "token": token, "other": other, "began_at": now()}
        until: ColumnElement[int] = literal_column(f"{clock} + {LASTS}")
        connection.execute(insert(ServiceMove).values(id=1, expires=until, **values))


def _require_free(connection: Connection) -> None:
    row = _row(connection)
    clock: ColumnElement[int] = literal_column(CLOCKS[connection.dialect.name])
    if row is not None and not connection.scalar(select(ServiceMove.expires <= clock)):
        raise MoveError(_why_not(row))


def _row(connection: Connection) -> ServiceMove | None:
    values = connection.execute(select(ServiceMove.__table__)).mappings().one_or_none()
    return None if values is None else ServiceMove(**values)


def _why_not(row: ServiceMove) -> str:
    if row.state is MoveState.COPYING:
        return f"The service is being moved to {row.other} right now."
    if row.state is MoveState.MOVED:
        return f"The service has moved to {row.other}. `commentsvc move --cancel` gives this database back to it."
    return f"This database has a copy from {row.other}, whose move was not completed. Use an empty one."
