"""Keeps the ledger's file the same as its table, and drops what no backup needs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.db.session import begin_write
from commentsvc.domain import hash_keys
from commentsvc.domain.ledger import entries, files
from commentsvc.models import LedgerEntry

KEPT = timedelta(days=90)
"""How long an entry is kept at least: older backups must not be restored."""


def bring_up_to_date(session: Session, directory: Path) -> None:
    """Append to the file what it lacks, as after a full disk or from another machine. Raises OSError.

    The file and its key are there even if nobody was erased: a restored database needs the key to know its bans again.
    """
    session.rollback()
    stored = entries.stored(session)
    key = hash_keys.load(session.get_bind().engine)
    session.rollback()
    files.append(directory, key, stored, unless_known=True)


def lacking(session: Session, directory: Path) -> int:
    """Return how many entries of the table the file does not have. Raises OSError."""
    stored = {entry.key for entry in entries.stored(session)}
    if not stored:
        return 0
    path = files.path_of(directory, hash_keys.load(session.get_bind().engine))
    return len(stored - {entry.key for entry in files.read(path)})


def drop_old(session: Session, directory: Path, *, oldest_backup: datetime | None, at: datetime) -> None:
    """Delete the entries that are older than `KEPT` and than every backup in the directory. Commits; raises OSError."""
    before = at - KEPT if oldest_backup is None else min(at - KEPT, oldest_backup - timedelta(days=1))
    session.rollback()
    is_old = LedgerEntry.at < before
    if not session.scalar(select(exists().where(is_old))):
        session.rollback()
        return
    begin_write(session)
    deleted: Any = delete(LedgerEntry).where(is_old)
    change_rows(session, deleted)
    session.commit()
    files.drop(directory, hash_keys.load(session.get_bind().engine), before=before)
