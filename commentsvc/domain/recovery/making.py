"""Makes a backup: consistent, private, and proved before it gets its name."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from commentsvc import durable_files
from commentsvc.db.session import sqlite_file
from commentsvc.domain.maintenance import backups
from commentsvc.domain.recovery import archive_copy, sqlite_copy
from commentsvc.errors import BackupError, BackupRunningError

WAIT = 300.0
"""Seconds for which the command waits for a backup that another process makes."""
_UNFINISHED = ".commentsvc-backup-"
"""Begins the name of the folder in which a backup is made and proved."""
_LOCK = ".commentsvc-backup.lock"


def make(engine: Engine, directory: Path, *, at: datetime) -> Path:
    """Make a backup in a directory, which is created if there is none, and return its file.

    Raises BackupError, after which there is no new file, and all earlier ones are still there.
    """
    with _in_words(directory), _alone(directory, wait=WAIT):
        return _make(engine, directory, at)


def make_daily(engine: Engine, directory: Path, *, at: datetime) -> Path | None:
    """Make a backup unless there is one of this day, then delete those that need not be kept; return the new one.

    Raises BackupError; BackupRunningError if another process makes one now.
    """
    with _in_words(directory), _alone(directory, wait=0):
        if not backups.is_due(directory, at=at):
            return None  # another process was faster
        made = _make(engine, directory, at)
        for backup in backups.superfluous(backups.in_directory(directory)):
            backup.path.unlink(missing_ok=True)
        return made


def _make(engine: Engine, directory: Path, at: datetime) -> Path:
    with _scratch_folder(directory) as folder:
        file = folder / "backup"
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _write(engine, file, folder, at=at)
        return _named(file, directory, engine.dialect.name, at)


@contextmanager
def _in_words(directory: Path) -> Iterator[None]:
    """Raise the errors of disk and database as BackupError."""
    try:
        yield
    except OSError as error:
        raise BackupError(_failure(directory, error.strerror or str(error), error.errno)) from error
    except sqlite3.Error as error:
        raise BackupError(_failure(directory, str(error))) from error
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or type(error).__name__).strip()
        raise BackupError(_failure(directory, (reason.splitlines() or ["unknown"])[0])) from None


def _write(engine: Engine, file: Path, folder: Path, *, at: datetime) -> None:
    """Write a backup and prove it; raises BackupError, and the errors of disk and database."""
    if engine.dialect.name == "sqlite":
        database = sqlite_file(engine.url)
        if database is None:
            raise BackupError("A backup needs the path of the SQLite file in COMMENTSVC_DATABASE_URL.")
        contents = sqlite_copy.write(database, file)
        durable_files.sync(file)
        sqlite_copy.prove(file, contents)
    else:
        with Session(engine) as session:
            archive_copy.write(session, file, at=at)
        durable_files.sync(file)
        archive_copy.prove(file, folder, at=at)


def _named(file: Path, directory: Path, engine_name: str, at: datetime) -> Path:
    """Give a proved backup its name, and return its path."""
    while (path := directory / backups.name_of(engine_name, at)).exists():
        at += timedelta(seconds=1)
    durable_files.give_to_owner(file, directory)
    file.rename(path)
    durable_files.sync(directory)
    return path


@contextmanager
def _alone(directory: Path, *, wait: float) -> Iterator[None]:
    """Let no other process make a backup there meanwhile; raises BackupRunningError after `wait` seconds."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        durable_files.give_to_owner(directory / _LOCK, directory)
        until = time.monotonic() + wait
        while not _is_locked(descriptor):
            if time.monotonic() >= until:
                raise BackupRunningError(directory)
            time.sleep(0.2)
        yield
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    """Try to lock a file; return whether it worked."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _scratch_folder(directory: Path) -> Iterator[Path]:
    """Yield a private folder, deleted at the end; those of processes that were killed go first."""
    for left in directory.glob(f"{_UNFINISHED}*"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix=_UNFINISHED) as folder:
        yield Path(folder)


def _failure(directory: Path, reason: str, number: int | None = None) -> str:
    is_full = number in {errno.ENOSPC, errno.EDQUOT} or "disk is full" in reason
    advice = " Free some space there." if is_full else ""
    return f"No backup was made in {directory}: {reason}.{advice} Earlier backups are still there."
