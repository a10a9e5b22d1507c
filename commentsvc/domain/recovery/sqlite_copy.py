"""Copies a SQLite database in use, and compares the copy with it, table by table."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from commentsvc.errors import BackupError

HEADER = b"SQLite format 3\0"
"""What every SQLite file begins with."""
BATCH = 1000
"""Rows that are read at once."""
_BUSY_SECONDS = 15

Contents = Mapping[str, tuple[int, str]]
"""The number of rows of each table, and a digest of them."""


def write(database: Path, copy: Path) -> Contents:
    """Copy a database into an empty file, while others write to it; return what the database had at that moment.

    Raises sqlite3.Error.
    """
    with _opened(database, "rw") as source, closing(sqlite3.connect(copy)) as target:
        # The copy and the digests are of one moment: both are read in this transaction.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        contents = _contents(source)
        source.execute("ROLLBACK")
    return contents


def prove(copy: Path, expected: Contents) -> None:
    """Read a copy as a database of its own, and compare it; raises BackupError."""
    require_sound(copy)
    with _opened(copy, "ro") as connection:
        present = _contents(connection)
    for table in sorted(present.keys() | expected.keys()):
        if present.get(table) != expected.get(table):
            raise BackupError(f"The copy of the table {table} is not the same as the table.")


def require_sound(file: Path) -> None:
    """Raise BackupError if SQLite finds a fault in a file."""
    try:
        with _opened(file, "rw") as connection:
            faults = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.Error as error:
        faults = [str(error).encode()]
    if faults != [b"ok"]:
        raise BackupError(f"SQLite finds a fault in {file.name}: {faults[0].decode(errors='replace')}.")


@contextmanager
def _opened(file: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """Open an existing database. Texts are read as bytes, so that any can be read."""
    address = f"{file.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None, timeout=_BUSY_SECONDS)) as opened:
        opened.text_factory = bytes
        yield opened


def _contents(connection: sqlite3.Connection) -> Contents:
    tables = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
    )
    names = [name.decode() for (name,) in tables.fetchall()]
    return {name: _digest(connection, name) for name in names}


def _digest(connection: sqlite3.Connection, table: str) -> tuple[int, str]:
    quoted = table.replace('"', '""')
    rows = connection.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - a name of the database's own
    digest, count = hashlib.sha256(), 0
    while batch := rows.fetchmany(BATCH):
        digest.update(repr(batch).encode())
        count += len(batch)
    return count, digest.hexdigest()
