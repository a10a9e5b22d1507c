"""PostgreSQL with limits on every wait: for a connection, a lock, a statement, and a server that says nothing.

A reader waits for few seconds, a writer for as long as a large change of somebody else may take. PostgreSQL itself ends
a statement that takes too long. A frozen server cannot, and its kernel still acknowledges what we send; only the
limit of `BoundedConnection.wait` ends that.
"""

from __future__ import annotations

import time
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.errors import LockNotAvailable
from psycopg.pq import TransactionStatus

READ_LOCK, READ_STATEMENT = 2.0, 10.0
"""Seconds for which a reader waits for a lock, and for the whole statement."""
WRITE_LOCK, WRITE_STATEMENT = 15.0, 60.0
"""The same for a transaction that writes."""
GRACE = 2.0
"""Seconds that we wait in addition to PostgreSQL's own limit, and in all for an answer to a ping or a rollback."""
REST = 2.0
"""Seconds after a timeout during which requests are refused at once instead of waiting."""

_READER = f"SET lock_timeout = '{READ_LOCK}s'; SET statement_timeout = '{READ_STATEMENT}s'"
_WRITER = f"SET LOCAL lock_timeout = '{WRITE_LOCK}s'; SET LOCAL statement_timeout = '{WRITE_STATEMENT}s'"
_UNLIMITED = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0"


class Availability:
    """An engine's circuit breaker: after a timeout it refuses at once, as waiting readers would occupy all threads."""

    def __init__(self) -> None:
        self._until = 0.0
        self._is_doubtful = False
        self._reason = ""

    def require(self) -> None:
        """Raise OperationalError if the database has just left somebody waiting.

        After `REST` one caller tries it, and the others are refused for as long again.
        """
        now = time.monotonic()
        if now < self._until:
            raise OperationalError(f"the database did not answer a moment ago: {self._reason}")
        if self._is_doubtful:
            self._is_doubtful, self._until = False, now + REST

    def doubt(self, error: OperationalError) -> None:
        """Note that somebody waited in vain."""
        self._reason = str(error)
        self._is_doubtful, self._until = True, time.monotonic() + REST

    def trust(self) -> None:
        """Note that the database answers."""
        self._is_doubtful, self._until = False, 0.0


def connect(arguments: dict[str, Any]) -> BoundedConnection:
    """Return a new connection; raises psycopg.OperationalError.

    `arguments` are psycopg's, with the engine's `availability`, which an engine without our options does not have.
    """
    arguments = dict(arguments)
    availability = arguments.pop("availability", None) or Availability()
    availability.require()
    try:
        connection = BoundedConnection.connect(**arguments, autocommit=True)
    except OperationalError as error:
        availability.doubt(error)
        raise
    connection.availability = availability
    try:
        connection.execute(_READER)  # not as `options` of the connection, which PgBouncer refuses
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    availability.trust()
    return connection


class BoundedConnection(Connection[Any]):
    """A connection that is closed if the server says nothing for too long."""

    availability: Availability
    _patience: float | None = GRACE
    _is_reading = True

    def begin(self, *, to_write: bool, unlimited: bool) -> None:
        """Set the limits of the transaction that follows; raises OperationalError."""
        self.availability.require()
        self._is_reading = not to_write
        self._patience = (WRITE_STATEMENT if to_write else READ_STATEMENT) + GRACE
        if unlimited:
            self._patience = None
        if to_write:
            self.execute(_UNLIMITED if unlimited else _WRITER)

    def lift_limits(self) -> None:
        """Let all further statements take any time; only for autocommit, and for a connection outside of the pool."""
        self._patience, self._is_reading = None, False
        self.execute("SET lock_timeout = 0; SET statement_timeout = 0")

    def commit(self) -> None:
        """Commit; the next statement belongs to no transaction until `begin`."""
        super().commit()
        self._patience = GRACE

    def rollback(self) -> None:
        """Roll back, waiting only briefly: nothing depends on the answer."""
        self._patience = GRACE
        super().rollback()

    def wait(self, *arguments: Any, **more: Any) -> Any:
        """Run one exchange with the server; raises OperationalError if it takes too long, and closes the connection."""
        try:
            return super().wait(*arguments, **{"timeout": self._patience, **more})
        except LockNotAvailable as error:
            if self._is_reading:
                self.availability.doubt(error)
            raise
        except OperationalError as error:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:  # the answer has not come
                self.availability.doubt(error)
                self.close()
            raise
