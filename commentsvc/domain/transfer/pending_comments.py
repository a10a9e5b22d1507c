"""What an import has planned but not stored; in a dry run that is everything, so it lies in a temporary database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What tells two comments apart that have the same number."""

    thread: str
    """The key of their thread."""
    digest: str
    created_at: datetime | None


class PendingComments(MutableMapping[str, Written]):
    """Planned comments by their transfer keys. SQLite keeps the first megabytes in memory, and the rest in a file."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(
            "CREATE TABLE pending (key TEXT PRIMARY KEY, thread TEXT, digest TEXT, written TEXT) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")

    def __getitem__(self, key: str) -> Written:
        query = "SELECT thread, digest, written FROM pending WHERE key = ?"
        row = self._database.execute(query, (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        return Written(row[0], row[1], datetime.fromisoformat(row[2]) if row[2] else None)

    def __setitem__(self, key: str, written: Written) -> None:
        at = written.created_at.isoformat() if written.created_at else None
        row = (key, written.thread, written.digest, at)
        self._database.execute("INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?)", row)

    def __delitem__(self, key: str) -> None:
        if not self._database.execute("DELETE FROM pending WHERE key = ?", (key,)).rowcount:
            raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (key for (key,) in self._database.execute("SELECT key FROM pending"))

    def __len__(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM pending").fetchone()[0])

    def clear(self) -> None:
        """Forget all of them."""
        self._database.execute("DELETE FROM pending")

    def close(self) -> None:
        """Remove the temporary database."""
        self._database.close()
