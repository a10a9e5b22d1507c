"""What an import has planned but not stored; in a dry run that is everything, so it lies in a temporary database."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What tells two comments apart that have the same number."""

    thread: str
    """The key of their thread."""
    digest: str
    created_at: datetime | None


class PendingComments:
    """Planned comments by their transfer keys. SQLite keeps the first megabytes in memory, and the rest in a file."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(
            "CREATE TABLE pending (key TEXT PRIMARY KEY, thread TEXT, digest TEXT, written TEXT) WITHOUT ROWID"
        )
        self._database.execute("BEGIN")

    def get(self, key: str) -> Written | None:
        """Return a planned comment; None if there is none with this key."""
        query = "SELECT thread, digest, written FROM pending WHERE key = ?"
        row = self._database.execute(query, (key,)).fetchone()
        return Written(row[0], row[1], datetime.fromisoformat(row[2]) if row[2] else None) if row else None

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def __setitem__(self, key: str, written: Written) -> None:
        at = written.created_at.isoformat() if written.created_at else None
        row = (key, written.thread, written.digest, at)
        self._database.execute("INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?)", row)

    def clear(self) -> None:
        """Forget all of them."""
        self._database.execute("DELETE FROM pending")

    def close(self) -> None:
        """Remove the temporary database."""
        self._database.close()
