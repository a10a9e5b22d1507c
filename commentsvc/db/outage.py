"""Errors that mean that the database cannot be used at the moment, and the log of an outage in few lines."""

from __future__ import annotations

import logging
import sqlite3
import time
from traceback import TracebackException
from weakref import WeakKeyDictionary

from sqlalchemy import Engine
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
    TimeoutError,
)

from commentsvc.errors import ServiceMovingError

log = logging.getLogger(__name__)

QUIET = 10.0
"""Seconds without an error after which a success ends the outage; before, others may still be failing."""
STORAGE_DOUBTED = 10.0
"""Seconds after a failed write during which storing counts as impossible, unless a later write succeeds."""

_OUR_FAULT = (IntegrityError, DataError, ProgrammingError, NotSupportedError)
_SQLITE_STORAGE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_POSTGRESQL_STORAGE = frozenset({"53100", "58030"})
"""SQLSTATE of a full disk and of an I/O error."""


def is_unavailability(error: BaseException) -> bool:
    """Whether an error comes from the state of the database and not from a mistake in the statement."""
    kinds = (DatabaseError, InterfaceError, TimeoutError, ServiceMovingError)
    return isinstance(error, kinds) and not isinstance(error, _OUR_FAULT)


def is_storage_fault(error: BaseException) -> bool:
    """Whether an error says that the database's disk is full or faulty."""
    cause = getattr(error, "orig", error)
    if getattr(cause, "sqlstate", None) in _POSTGRESQL_STORAGE:
        return True
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    return code in _SQLITE_STORAGE or str(cause).startswith("disk I/O error")


class Outage:
    """The state of one engine's database, as the requests of this process meet it."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._last = self._storage_failed = float("-inf")
        self._only_writing = False

    @property
    def is_storage_doubted(self) -> bool:
        """Whether a write has failed lately because of the disk, and none has succeeded since."""
        return time.monotonic() - self._storage_failed < STORAGE_DOUBTED

    def failed(self, error: BaseException, what: str, *, writing: bool) -> None:
        """Log an error in `what`, such as "GET /embed": with its traceback only if it begins an outage."""
        now, begins = time.monotonic(), self._since is None
        self._last = now
        self._only_writing = writing and (begins or self._only_writing)
        if begins:
            self._since = now
        if is_storage_fault(error):
            self._storage_failed = now
        log.error("%s: %s%s", what, reason(error), _traceback(error) if begins else "")

    def worked(self, *, writing: bool) -> None:
        """Note a success, and log the end of the outage; reading says nothing about an outage of writing only."""
        if writing:
            self._storage_failed = float("-inf")
        since, now = self._since, time.monotonic()
        if since is None or now - self._last < QUIET or (self._only_writing and not writing):
            return
        self._since = None
        log.error("the database answers again; the errors came for %.0f seconds", self._last - since)


def reason(error: BaseException) -> str:
    """Return an error's message in one line, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    text = str(cause) if cause is not error or not isinstance(error, SQLAlchemyError) else error.args[0]
    return (str(text).strip().splitlines() or [type(cause).__name__])[0]


def _traceback(error: BaseException) -> str:
    """Return an error's traceback without those of its causes, which its message names."""
    return "\n" + "".join(TracebackException.from_exception(error).format(chain=False)).rstrip()


_outages: WeakKeyDictionary[Engine, Outage] = WeakKeyDictionary()


def outage_of(engine: Engine) -> Outage:
    """Return the state of an engine's database."""
    return _outages.setdefault(engine, Outage())
