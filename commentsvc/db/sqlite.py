"""SQLite as many writers share it: they take turns, and what is acknowledged is on the disk."""

from __future__ import annotations

import os
import sqlite3
import time
from threading import Lock
from typing import Any

BUSY_TIMEOUT_MS = 15_000
REMEMBERED_KB = 512
"""Of the file, by each connection, of which a process has a dozen; the system remembers it for all of them anyway."""
OTHERS_POST = 0.005
"""Seconds in which another process has written a comment, as a rule; so long the first in the queue asks often."""
ASK_AGAIN, ASK_LATER = 0.0001, 0.001
"""Seconds between two attempts, within that time and after it; SQLite itself counts no less than a thousandth."""
_SYNC = getattr(os, "fdatasync", os.fsync)
_LOCKED = "database is locked"


class SharedDatabase:
    """A database, as all connections of this process to it share it."""

    def __init__(self) -> None:
        self.turn = Lock()
        """Had by the one writer that asks for SQLite's lock, and until it has given that back."""
        self._syncing = Lock()
        self._begun = self._done = 0

    def connect(self, *given: Any, **more: Any) -> QueuedConnection:
        """Make a connection; what `sqlite3.connect` takes as its `factory`."""
        connection = QueuedConnection(*given, **more)
        connection.prepare(self)
        return connection

    def wait_until_durable(self, log: str) -> None:
        """Return once all that was committed to this log is on the disk; who waits together waits for one `fsync`.

        An `fsync` that had begun before may have missed some of it. Raises sqlite3.OperationalError.
        """
        wanted = self._begun + 1
        with self._syncing:
            if self._done >= wanted:
                return
            self._begun += 1
            number = self._begun
            try:
                # Opened each time: the file is another one, once all connections were closed in between.
                descriptor = os.open(log, os.O_RDWR)
                try:
                    _SYNC(descriptor)
                finally:
                    os.close(descriptor)
            except OSError as error:
                raise sqlite3.OperationalError(f"disk I/O error: {error}") from error
            self._done = number


class QueuedConnection(sqlite3.Connection):
    """A connection whose transactions are begun by `begin`, and ended by `commit` or `rollback`.

    SQLite itself would call `fsync` within the commit, while every other writer waits for the lock. Here it does not
    (`synchronous = NORMAL`): the commit returns after one that began once the lock was free again.
    """

    _file: SharedDatabase
    _log: str | None = None
    _has_turn = False

    def prepare(self, file: SharedDatabase) -> None:
        """Set what each connection sets for itself."""
        self._file = file
        self.isolation_level = None  # the driver must not begin transactions by itself
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "foreign_keys = ON",
            "temp_store = MEMORY",
            f"cache_size = -{REMEMBERED_KB}",
        ):
            self.execute(f"PRAGMA {pragma}")
        (mode,) = self.execute("PRAGMA journal_mode = WAL").fetchone()
        path = self.execute("PRAGMA database_list").fetchone()[2]
        if mode == "wal" and path:
            self._log = f"{path}-wal"
        self.execute(f"PRAGMA synchronous = {'NORMAL' if self._log else 'FULL'}")

    def begin(self, *, to_write: bool) -> None:
        """Begin a transaction; raises sqlite3.OperationalError where the lock was not to be had in time."""
        if to_write:
            self._begin_in_turn()
        else:
            self.execute("BEGIN")  # cannot fail: nothing is locked before the first read

    def commit(self) -> None:
        """Commit, let the next writer begin, and return once it is on the disk."""
        super().commit()
        self._end_turn()
        if self._log:
            self._file.wait_until_durable(self._log)

    def rollback(self) -> None:
        """Undo what was not committed, and let the next writer begin."""
        try:
            super().rollback()
        finally:
            self._end_turn()

    def close(self) -> None:
        """Close it, and let the next writer begin."""
        try:
            super().close()
        finally:
            self._end_turn()

    def _begin_in_turn(self) -> None:
        """Take SQLite's write lock; of the writers in this process only the first in the queue asks for it.

        Left to itself SQLite has every writer ask again after ever longer pauses, up to a tenth of a second, and
        whoever has waited longest asks least.
        """
        until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
        if not self._file.turn.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            raise sqlite3.OperationalError(_LOCKED)
        self._has_turn = True
        self.execute("PRAGMA busy_timeout = 0")
        try:
            if not self._asked(until):
                raise sqlite3.OperationalError(_LOCKED)
        except BaseException:
            self._end_turn()
            raise
        finally:
            self.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")

    def _asked(self, until: float) -> bool:
        """Ask for the lock again and again, `until` that time."""
        often_until = time.monotonic() + OTHERS_POST
        while not self._begun():
            now = time.monotonic()
            if now > until:
                return False
            time.sleep(ASK_AGAIN if now < often_until else ASK_LATER)
        return True

    def _begun(self) -> bool:
        try:
            self.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._file.turn.release()
