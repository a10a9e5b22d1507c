"""Checks the database, its disk, and the backups."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from commentsvc.cli import service
from commentsvc.cli.checks.finding import Finding
from commentsvc.config import PREFIX, Settings
from commentsvc.db import outage, sqlite
from commentsvc.db.session import sqlite_file
from commentsvc.models import MoveState, ServiceMove

RESTORE = "The file is damaged. Stop the service and restore a backup (docs/serving.md, “When something is broken”)."
NO_SPACE = "Free some space, or nobody can comment. The comments that are stored are safe."
FREE_LEAST = 100_000_000
"""Bytes."""
BACKUP_OLDEST = timedelta(days=8)
"""A weekly backup is never older, even if one takes a while."""
BACKUP_DIR = f"{PREFIX}BACKUP_DIR"


def database(session: Session, settings: Settings) -> Iterator[Finding]:
    """Check the database."""
    yield Finding("Database", service.without_password(settings.database_url))
    yield from _move(session)
    if file := sqlite_file(settings.database_url):
        yield _pages(session)
        yield _disk(file.parent)


def _move(session: Session) -> Iterator[Finding]:
    """Say that the service moves, or has moved, to another database: nothing can be changed in this one."""
    row = session.scalars(select(ServiceMove)).one_or_none()
    if row is None:
        return
    began = f"on {row.began_at:%Y-%m-%d at %H:%M} UTC"
    if row.state is MoveState.COPYING:
        state, advice = f"to {row.other} began {began}", "Wait: nothing can be posted until it is done."
    elif row.state is MoveState.MOVED:
        state = f"to {row.other} was made {began}, and nothing can be changed in this database"
        advice = (
            f"Set {PREFIX}DATABASE_URL to the other database, and restart the service. To stay with this one instead: "
            "commentsvc move --cancel"
        )
    else:
        state = (
            f"from {row.other}, begun {began}, was interrupted, and nothing can be changed in this database"
        )
        advice = (
            "Repeat `commentsvc move --to` with the settings of the earlier database; if it refuses this one, use a "
            "new one."
        )
    yield Finding("Its move", state, advice)


def _pages(session: Session) -> Finding:
    """Read all of a SQLite file; damaged pages may otherwise be met by one reader in a year."""
    try:
        (result, *_) = session.scalars(text("PRAGMA quick_check(1)")).all()
    except DatabaseError as error:
        result = outage.reason(error)
        session.rollback()
    return Finding("Its pages", "are sound") if result == "ok" else Finding("Its pages", result, RESTORE)


def _disk(directory: Path) -> Finding:
    """Check whether there is space for comments to come."""
    if fault := sqlite.storage_fault(directory):
        return Finding("Its disk", f"takes nothing: {fault}", NO_SPACE)
    free = shutil.disk_usage(directory).free
    return Finding("Its disk", f"has {free / 1e6:,.0f} MB free", NO_SPACE if free < FREE_LEAST else "")


def backups(settings: Settings, *, at: datetime) -> Finding:
    """Check the newest file in the directory of backups."""
    if not settings.backup_dir:
        state = f"not checked: {BACKUP_DIR} does not say where they are"
        return Finding("Backups", state, is_known=False)
    try:
        files = [(file, file.stat()) for file in Path(settings.backup_dir).iterdir() if file.is_file()]
    except OSError as error:
        return Finding("Backups", settings.backup_dir, f"The directory cannot be read: {error.strerror}.")
    if not files:
        return Finding("Backups", settings.backup_dir, "There is none. docs/serving.md says how to make one.")
    newest, stat = max(files, key=lambda pair: pair[1].st_mtime)
    age = at.timestamp() - stat.st_mtime
    state = f"{newest} is {_age(age)} old"
    if not stat.st_size:
        return Finding("Backups", state, "The file is empty. Look at what makes it, such as cron's mail.")
    if age > BACKUP_OLDEST.total_seconds():
        return Finding("Backups", state, "That is too old. Look at what makes them, such as cron's mail.")
    if stat.st_mode & 0o077:
        return Finding(
            "Backups",
            state,
            f"Other users of this machine can read it, and it has e-mail addresses: chmod 600 {newest}",
        )
    return Finding("Backups", state)


def _age(seconds: float) -> str:
    hours = max(0, round(seconds / 3600))
    number, unit = (hours, "hour") if hours < 48 else (round(hours / 24), "day")
    return f"{number} {unit}{'s' * (number != 1)}"
