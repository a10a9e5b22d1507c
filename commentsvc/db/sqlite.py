"""SQLite with many writers: a queue for the write lock, and commits that are on disk when they return."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from pathlib import Path
from threading import Lock
from typing import Any

BUSY_TIMEOUT_MS = 15_000
REMEMBERED_KB = 512
"""Page cache per connection. A process has about a dozen connections, and the OS caches the file for all of them."""
OTHERS_POST = 0.005
"""Seconds for which to poll for the lock eagerly: another process normally finishes its write within this time."""
ASK_AGAIN, ASK_LATER = 0.0001, 0.001
"""Seconds between two attempts, within that time and after it; SQLite's own busy timeout cannot go below 0.001."""
_SYNC = getattr(os, "fdatasync", os.fsync)
PROBE = 64 * 1024
"""Bytes that `storage_fault` writes: more than a usual commit."""
LOCKED = "database is locked"
MISSING = "the database file is missing"
REPLACED = "the database file was replaced while the service had it open"


class SharedDatabase:
    """State that all connections of this process to one database share."""

    def __init__(self, *, may_create: bool = True) -> None:
        """Without `may_create` a missing file is an error: an empty database must not replace a lost one unnoticed."""
        self.turn = Lock()
        """Held by the one writer in this process that is waiting for, or holds, SQLite's write lock."""
        self._may_create = may_create
        self._identity: tuple[int, int] | None = None
        """Device and inode of the file, once it was opened."""
        self._syncing = Lock()
        self._begun = self._done = 0

    def connect(self, *given: Any, **more: Any) -> QueuedConnection:
        """Make a connection; passed to `sqlite3.connect` as its `factory`. Raises sqlite3.OperationalError."""
        if not self._may_create and Path(given[0]).parent.is_dir() and _identity(given[0]) is None:
            raise sqlite3.OperationalError(MISSING)
        connection = QueuedConnection(*given, **more)
        try:
            connection.prepare(self)
        except BaseException:
            connection.close()
            raise
        return connection

    def require_in_place(self, path: str) -> None:
        """Raise sqlite3.OperationalError if the file is not the one that was opened first.

        SQLite goes on with a deleted file: what it stores there is gone after the last connection has closed.
        """
        identity = _identity(path)
        self._identity = self._identity or identity
        if identity is None or identity != self._identity:
            raise sqlite3.OperationalError(MISSING if identity is None else REPLACED)

    def wait_until_durable(self, log: str) -> None:
        """Block until every commit made so far to this WAL file is on disk; concurrent callers share one `fsync`.

        A running `fsync` may have missed the latest commits, so this waits for the next. Raises
        sqlite3.OperationalError.
        """
        wanted = self._begun + 1
        with self._syncing:
            if self._done >= wanted:
                return
            self._begun += 1
            number = self._begun
            try:
                # Opened each time: SQLite replaces the file after all connections have been closed.
                descriptor = os.open(log, os.O_RDWR)
                try:
                    _SYNC(descriptor)
                finally:
                    os.close(descriptor)
            except OSError as error:
                raise sqlite3.OperationalError(f"disk I/O error: {error}") from error
            self._done = number


def empty_log(connection: Any, *, patience_ms: int) -> bool:
    """Move the WAL file into the database and truncate it; return False if a reader still needs it.

    The connection must have no transaction. Nobody can write meanwhile, so it waits for `patience_ms` only.
    """
    connection.execute(f"PRAGMA busy_timeout = {patience_ms}")
    try:
        (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


class QueuedConnection(sqlite3.Connection):
    """A connection whose transactions start with `begin` and end with `commit` or `rollback`.

    SQLite alone would call `fsync` inside the commit, while it holds the lock. Here it does not
    (`synchronous = NORMAL`): `commit` releases the lock and then waits for an `fsync` that started afterwards.
    """

    _file: SharedDatabase
    _path: str = ""
    """Empty for a database in memory."""
    _log: str | None = None
    _has_turn = False

    def prepare(self, file: SharedDatabase) -> None:
        """Set the pragmas of a new connection."""
        self._file = file
        self.isolation_level = None  # the driver must not begin transactions by itself
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "foreign_keys = ON",
            "secure_delete = ON",  # what is deleted is overwritten, not left in free space
            "temp_store = MEMORY",
            f"cache_size = -{REMEMBERED_KB}",
        ):
            self.execute(f"PRAGMA {pragma}")
        (mode,) = self.execute("PRAGMA journal_mode = WAL").fetchone()
        self._path = self.execute("PRAGMA database_list").fetchone()[2]
        if mode == "wal" and self._path:
            self._log = f"{self._path}-wal"
        self.execute(f"PRAGMA synchronous = {'NORMAL' if self._log else 'FULL'}")

    def begin(self, *, to_write: bool, unlimited: bool = False) -> None:
        """Begin a transaction; raises sqlite3.OperationalError if the lock is not free in time.

        `unlimited` has no effect here: SQLite has no limit for a statement.
        """
        self._require_in_place()
        if to_write:
            self._begin_in_turn()
        else:
            self.execute("BEGIN")  # cannot fail: nothing is locked before the first read

    def commit(self) -> None:
        """Commit, let the next writer begin, and return once the commit is on disk."""
        super().commit()
        self._end_turn()
        if self._log:
            self._file.wait_until_durable(self._log)
        self._require_in_place()

    def rollback(self) -> None:
        """Roll back, and let the next writer begin."""
        try:
            super().rollback()
        finally:
            self._end_turn()

    def close(self) -> None:
        """Close the connection, and let the next writer begin."""
        try:
            super().close()
        finally:
            self._end_turn()

    def _begin_in_turn(self) -> None:
        """Take SQLite's write lock; in this process only the first writer in the queue polls for it.

        SQLite's own busy handler makes every writer poll at growing intervals, up to 0.1 s, so that the writer
        that has waited longest polls least often.
        """
        until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
        if not self._file.turn.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            raise sqlite3.OperationalError(LOCKED)
        self._has_turn = True
        self.execute("PRAGMA busy_timeout = 0")
        try:
            if not self._asked(until):
                raise sqlite3.OperationalError(LOCKED)
        except BaseException:
            self._end_turn()
            raise
        finally:
            self.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")

    def _asked(self, until: float) -> bool:
        """Poll for the lock until the time `until`; return whether we have it."""
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

    def _require_in_place(self) -> None:
        if self._path:
            self._file.require_in_place(self._path)

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._file.turn.release()


def _identity(path: str) -> tuple[int, int] | None:
    """Return the device and inode of a file; None if there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - before and after every transaction, where a Path takes longer
    except OSError:
        return None
    return status.st_dev, status.st_ino


def storage_fault(directory: Path) -> str | None:
    """Return why nothing can be stored in a directory, found by a temporary file; None if it works."""
    try:
        with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
            file.write(bytes(PROBE))
    except OSError as error:
        return error.strerror or str(error)
    return None
