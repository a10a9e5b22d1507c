"""Checks the database, its disk, and the backups."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from commentsvc.cli import service
from commentsvc.cli.checks.finding import Finding
from commentsvc.config import PREFIX, Settings
from commentsvc.db import outage, sqlite
from commentsvc.db.session import sqlite_file
from commentsvc.domain.ledger import upkeep
from commentsvc.domain.maintenance import backups
from commentsvc.models import MoveState, ServiceMove

RESTORE = "The file is damaged. Stop the service and restore a backup (docs/serving.md, “When something is broken”)."
NO_SPACE = "Free some space, or nobody can comment. The comments that are stored are safe."
FREE_LEAST = 100_000_000
"""Bytes."""
BACKUP_DIR = f"{PREFIX}BACKUP_DIR"
_LOOK = "`commentsvc serve` makes one each day, and its log says why it could not; `commentsvc backup` makes one now."


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
    """Read all of a SQLite file; otherwise a damaged page may go unnoticed for a year."""
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


def proved_backups(settings: Settings, *, at: datetime) -> Finding:
    """Check the newest proved backup in the directory of backups."""
    if not settings.backup_dir:
        state = f"are off: {BACKUP_DIR} does not say where to make one each day (docs/backups.md)"
        return Finding("Backups", state, is_known=False)
    directory = Path(settings.backup_dir)
    try:
        existing = backups.in_directory(directory)
    except OSError as error:
        return Finding("Backups", settings.backup_dir, f"The directory cannot be read: {error.strerror}.")
    if not existing:
        return Finding("Backups", settings.backup_dir, f"There is none yet that is proved. {_LOOK}")
    newest = existing[0]
    state = f"{newest.path} is proved and {_age((at - newest.at).total_seconds())} old"
    if at - newest.at > backups.LATE:
        return Finding("Backups", state, f"That is too old. {_LOOK}")
    if fault := sqlite.storage_fault(directory):
        return Finding("Backups", state, f"Nothing can be stored in {directory} now: {fault}.")
    if newest.path.stat().st_mode & 0o077:
        advice = (
            f"Other users of this machine can read it, and it has e-mail addresses: chmod 600 {newest.path}"
        )
        return Finding("Backups", state, advice)
    return Finding("Backups", state)


def ledger(session: Session, settings: Settings) -> Finding:
    """Check whether the ledger of erasures has everything that was erased."""
    directory = settings.ledger_dir
    advice = (
        f"Until it can be written, restoring a backup may bring back who was erased. Look at {directory}."
    )
    try:
        lacking = upkeep.lacking(session, directory)
    except OSError as error:
        return Finding("Its ledger", f"cannot be read: {error.strerror}", advice)
    if lacking:
        return Finding("Its ledger", f"lacks {lacking:,} of what was erased or ended", advice)
    if directory.is_dir() and (fault := sqlite.storage_fault(directory)):
        return Finding("Its ledger", f"cannot be written: {fault}", advice)
    return Finding("Its ledger", f"is complete, in {directory}")


def _age(seconds: float) -> str:
    hours = max(0, round(seconds / 3600))
    number, unit = (hours, "hour") if hours < 48 else (round(hours / 24), "day")
    return f"{number} {unit}{'s' * (number != 1)}"
