"""Imports by upload, as the admin view sees them: the uploaded file, and the job for the background work.

The web processes only store the file and the job. The background work recognises and reads the file
(`domain/transfer/import_runner.py`), because the importers' libraries are not loaded where readers are answered.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.errors import ImportConflictError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import ImportJob, ImportState, Site

UPLOADS = "imports"
"""The folder of uploaded files in the data directory."""
FILE_KEPT = timedelta(days=1)
"""How long a file waits for the owner's decision."""
REPORT_KEPT = timedelta(days=7)
"""How long the report of a finished import can be read."""
UNCLAIMED = timedelta(hours=1)
"""How long a file without a job is kept: it may be on its way in."""
NAME_LONGEST = 200

DUE = (ImportState.CHECKING, ImportState.IMPORTING)
UNDER_WAY = (ImportState.CHECKING, ImportState.READY, ImportState.IMPORTING)
FINISHED = (ImportState.DONE, ImportState.FAILED)
_BUSY = gettext_noop(
    "Another file is being imported into this site. Wait until it is finished, or cancel it."
)
_CHANGED = gettext_noop("This import has changed meanwhile. Nothing was done.")


def path_of(data_dir: Path, file: str) -> Path:
    """Return where an uploaded file is stored."""
    return data_dir / UPLOADS / file


@contextmanager
def new_file(data_dir: Path) -> Iterator[tuple[str, BinaryIO]]:
    """Yield the name of a new private file and the file, open for writing; an error in the block deletes it."""
    (data_dir / UPLOADS).mkdir(mode=0o700, exist_ok=True)
    name = secrets.token_hex(16)
    path = path_of(data_dir, name)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield name, file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def printable(line: str) -> str:
    """Return a line without characters that a database refuses, or that hide or reorder others."""
    return "".join(char if char.isprintable() else " " for char in line)


def of_site(session: Session, site_id: int) -> ImportJob | None:
    """Return the current or last import by upload into a site."""
    return session.scalars(select(ImportJob).where(ImportJob.site_id == site_id)).one_or_none()


def is_any_due(session: Session) -> bool:
    """Whether the background work has a file to read, here or on another machine; ends the transaction."""
    due = session.scalar(select(exists().where(ImportJob.state.in_(DUE))))
    session.rollback()
    return bool(due)


def require_no_other(session: Session, site_id: int) -> None:
    """Raise ImportConflictError while an import by upload into this site is not finished."""
    job = of_site(session, site_id)
    if job is not None and job.state in UNDER_WAY:
        raise ImportConflictError(gettext(_BUSY))


def add(
    session: Session,
    site_id: int,
    *,
    commenter_id: int,
    file: str,
    file_name: str,
    at: datetime,
) -> ImportJob:
    """Add the job for an uploaded file, instead of a finished one; raises ImportConflictError. Needs `begin_write`."""
    session.get(Site, site_id, with_for_update=True)  # two uploads at once come one after the other
    require_no_other(session, site_id)
    session.execute(delete(ImportJob).where(ImportJob.site_id == site_id))
    job = ImportJob(
        site_id=site_id,
        commenter_id=commenter_id,
        state=ImportState.CHECKING,
        file_name=printable(file_name)[:NAME_LONGEST],
        file=file,
        size=0,
        changed_at=at,
    )
    session.add(job)
    session.flush()
    return job


def confirm(session: Session, site_id: int, job_id: int | None, *, commenter_id: int, at: datetime) -> None:
    """Have a checked file imported; raises ImportConflictError if it is no longer ready. Needs `begin_write`."""
    job = _locked(session, site_id, job_id)
    if job.state is not ImportState.READY:
        raise ImportConflictError(gettext(_CHANGED))
    job.state, job.commenter_id, job.changed_at = ImportState.IMPORTING, commenter_id, at
    job.bytes_read, job.tries, job.claim, job.claimed_at = 0, 0, None, None


def cancel(session: Session, site_id: int, job_id: int | None) -> str | None:
    """Remove a job whose import has not begun, and return its file, which is deleted after the commit.

    Raises ImportConflictError if it has begun. Needs `begin_write`.
    """
    job = _locked(session, site_id, job_id)
    if job.state is ImportState.IMPORTING:
        raise ImportConflictError(gettext("The import has begun. You can undo it when it is finished."))
    file = job.file
    session.delete(job)
    return file


def tidy(session: Session, data_dir: Path, *, at: datetime) -> None:
    """Remove jobs that nobody decided on, old reports, and files without a job, such as those of removed sites."""
    session.rollback()
    waits = ImportJob.state.in_([ImportState.CHECKING, ImportState.READY])
    is_old = or_(
        waits & (ImportJob.changed_at < at - FILE_KEPT),
        ImportJob.state.in_(FINISHED) & (ImportJob.changed_at < at - REPORT_KEPT),
        (ImportJob.state == ImportState.IMPORTING) & (ImportJob.changed_at < at - FILE_KEPT),
    )
    old = session.execute(select(ImportJob.id, ImportJob.file).where(is_old)).all()
    if old:
        begin_write(session)
        session.execute(delete(ImportJob).where(ImportJob.id.in_([row.id for row in old]), is_old))
        session.commit()
    known = set(session.scalars(select(ImportJob.file).where(ImportJob.file.is_not(None))))
    session.rollback()
    removed = {row.file for row in old}
    for path in (data_dir / UPLOADS).glob("*"):
        if path.name in known:
            continue
        with suppress(FileNotFoundError):  # another process has deleted it meanwhile
            age = at.timestamp() - path.stat().st_mtime
            if path.name in removed or age > UNCLAIMED.total_seconds():
                path.unlink()


def _locked(session: Session, site_id: int, job_id: int | None) -> ImportJob:
    query = select(ImportJob).where(ImportJob.site_id == site_id, ImportJob.id == job_id).with_for_update()
    job = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if job is None:
        raise ImportConflictError(gettext(_CHANGED))
    return job
