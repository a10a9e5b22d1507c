"""The backups in a directory: their names, when they were made, and which of them are kept.

Only a backup that was read back and compared gets such a name, so each of them is proved.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from commentsvc.config import Settings

DAYS, WEEKS = 7, 4
"""For how many days, and for how many weeks, the schedule keeps a backup; days without one do not count."""
LATE = timedelta(days=2)
"""The age from which the newest backup is too old."""
_NAME = re.compile(r"commentsvc-(\d{8}T\d{6})Z-(?:sqlite\.db|postgresql\.zip)")
_TIME = "%Y%m%dT%H%M%S"
_ENDINGS = {"sqlite": "sqlite.db", "postgresql": "postgresql.zip"}


@dataclass(frozen=True, slots=True)
class Backup:
    """A proved backup."""

    path: Path
    at: datetime
    """When it was begun; it shows the database at a moment soon after."""


def name_of(engine: str, at: datetime) -> str:
    """Return the name of a backup of a database of this engine."""
    return f"commentsvc-{at.astimezone(UTC):{_TIME}}Z-{_ENDINGS[engine]}"


def time_of(path: Path) -> datetime | None:
    """Return when a backup was made, by its name; None for other files."""
    match = _NAME.fullmatch(path.name)
    try:
        return datetime.strptime(match[1], _TIME).replace(tzinfo=UTC) if match else None
    except ValueError:  # digits that are no time
        return None


def in_directory(directory: Path) -> list[Backup]:
    """Return the backups in a directory, the newest first. Raises OSError."""
    timed = [(path, time_of(path)) for path in directory.iterdir() if path.is_file()]
    existing = [Backup(path, at) for path, at in timed if at is not None]
    return sorted(existing, key=lambda backup: backup.at, reverse=True)


def last_proved(settings: Settings) -> datetime | None:
    """Return when the newest proved backup in the directory of backups was made.

    None without such a directory, or if it has none or cannot be read.
    """
    if not settings.backup_dir:
        return None
    try:
        existing = in_directory(Path(settings.backup_dir))
    except OSError:
        return None
    return existing[0].at if existing else None


def is_due(directory: Path, *, at: datetime) -> bool:
    """Whether no backup was made on this day, in UTC."""
    try:
        existing = in_directory(directory)
    except FileNotFoundError:
        return True
    today = at.astimezone(UTC).date()
    return all(
        backup.at.date() != today for backup in existing
    )  # a wrong clock may have made some in the future


def superfluous(existing: Sequence[Backup]) -> list[Backup]:
    """Return the backups that need not be kept: neither the last of a recent day nor that of a recent week."""
    newest_first = sorted(existing, key=lambda backup: backup.at, reverse=True)
    days: dict[object, Backup] = {}
    weeks: dict[object, Backup] = {}
    for backup in newest_first:
        days.setdefault(backup.at.date(), backup)
        weeks.setdefault(tuple(backup.at.isocalendar())[:2], backup)
    kept = [*list(days.values())[:DAYS], *list(weeks.values())[:WEEKS]]
    return [backup for backup in newest_first if backup not in kept]
