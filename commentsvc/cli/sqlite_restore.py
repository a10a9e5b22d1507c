"""Puts a copy of a SQLite database in the place of the service's own, which must not be in use."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Engine, delete
from sqlalchemy.orm import Session

from commentsvc import durable_files
from commentsvc.cli import options, output
from commentsvc.cli.service import Application
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, sqlite_file
from commentsvc.domain import hash_keys
from commentsvc.domain.maintenance import deleted_data
from commentsvc.errors import BackupError
from commentsvc.models import AddressCode, LoginSession, Ticket
from commentsvc.serving import service_lock

if TYPE_CHECKING:
    from commentsvc.domain.recovery.replaying import ReplayReport

_LOGS = ("-wal", "-shm", "-journal")
"""What SQLite may have beside a database."""
_OURS = {"alembic_version", "comment"}
"""Some tables of every database of this service."""


@dataclass(frozen=True, slots=True)
class RestoredFile:
    """What was done."""

    file: Path
    former: Path | None
    """Where the database is now that was there before."""
    report: ReplayReport


def restore(settings: Settings, path: Path, *, yes: bool, at: datetime) -> RestoredFile:
    """Restore a copy: migrate it, replay the ledger in it, and only then put it in place. Raises BackupError."""
    file = sqlite_file(settings.database_url)
    if file is None:
        raise BackupError(
            "This is a copy of SQLite, and COMMENTSVC_DATABASE_URL names another database: restore it into a SQLite "
            "file first, and `commentsvc export` an archive of that."
        )
    _require_ours(path)
    _require_unused(settings, file)
    if file.exists():
        options.confirm(f"Put {output.plain(path.name)} in the place of {output.plain(str(file))}?", yes=yes)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".commentsvc-restore-") as folder:
        copy = Path(folder) / file.name
        report = _prepare(settings, path, copy)
        _require_unused(settings, file)
        former = _put_aside(file, at)
        copy.rename(file)
    durable_files.sync(file.parent)
    return RestoredFile(file, former, report)


def _prepare(settings: Settings, path: Path, copy: Path) -> ReplayReport:
    """Make the file that takes the place of the database, in a folder of its own."""
    from commentsvc.domain.recovery import sqlite_copy
    from commentsvc.domain.service_move import source_stop

    copy.touch(mode=0o600)
    shutil.copyfile(path, copy)
    sqlite_copy.require_sound(copy)
    url = URL.create("sqlite", database=str(copy)).render_as_string()
    application = Application(replace(settings, database_url=url, data_dir=copy.parent, redis_url=""))
    application.bring_up_to_date()
    with application.in_use() as engine:
        source_stop.discard(engine)
        report = _replay(engine, (path.parent, settings.ledger_dir, settings.data_dir))
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # all in one file
    durable_files.give_to_owner(copy, copy.parent.parent)
    durable_files.sync(copy)
    return report


def _replay(engine: Engine, directories: tuple[Path, ...]) -> ReplayReport:
    from commentsvc.domain.recovery import ledgers, replaying

    own_key = hash_keys.load(engine)
    present = ledgers.in_directories(directories, own_key=own_key)
    with Session(engine, expire_on_commit=False) as session:
        begin_write(session)
        report = replaying.replay(session, {own_key: present.get(own_key, [])})
        for table in (LoginSession, Ticket, AddressCode):  # some may have ended since
            session.execute(delete(table))
        session.commit()
        deleted_data.purge(session)
    return report


def _require_ours(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise BackupError(f"{path} is a database in use, not a backup: {log.name} has a part of it.")
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as connection:
            tables = {
                row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            }
    except sqlite3.Error as error:
        raise BackupError(f"{path} cannot be read: {error}.") from None
    if not tables >= _OURS:
        raise BackupError(f"{path} is no database of this service.")


def _require_unused(settings: Settings, file: Path) -> None:
    """Raise BackupError while a process has the database open."""
    if where := service_lock.address_of_service(settings.data_dir):
        raise BackupError(
            f"The service runs at {where}. Stop it first: a backup takes the place of its database."
        )
    if not file.exists():
        return
    with closing(sqlite3.connect(file, timeout=1)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")  # which nobody else may have open
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise BackupError(f"Another process has {file} open. Stop it first.") from None
        except sqlite3.DatabaseError:
            pass  # a damaged file is a reason to restore


def _put_aside(file: Path, at: datetime) -> Path | None:
    """Rename a database, with what SQLite has beside it; return its new path, or None if there was none."""
    former = file.with_name(f"{file.name}.before-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    for ending in _LOGS:
        beside = file.with_name(f"{file.name}{ending}")
        if beside.exists():
            beside.rename(former.with_name(f"{former.name}{ending}"))
    if not file.exists():
        return None
    file.rename(former)
    return former
