"""Does the imports that owners have uploaded: first the dry run, then, when an owner has decided so, the import."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, or_, select, update
from sqlalchemy.orm import Session

from commentsvc.db.outage import is_unavailability
from commentsvc.db.session import begin_write, connect_to_write
from commentsvc.domain.admin import import_jobs
from commentsvc.domain.spam import training
from commentsvc.domain.transfer import importing, input_files, sources
from commentsvc.domain.transfer.import_preview import ImportPreview
from commentsvc.domain.transfer.importing import ImportStoppedError
from commentsvc.domain.transfer.input_files import ReadLog
from commentsvc.errors import TransferError
from commentsvc.models import ImportJob, ImportState, Site, now

LEASE = timedelta(minutes=2)
"""The time without a heartbeat after which another process continues a job."""
TRIES = 3
"""How often a pass may begin: a file that crashes the process each time is given up."""
SHOW_EVERY = 2.0
"""Seconds between two updates of the progress, which are the heartbeats."""
_ADVICE = "Choose the file that the other system exported, as it is."
_UNEXPECTED = (
    "Something went wrong on our side while this file was read. It has been noted in the service's log."
)
_GIVEN_UP = (
    f"The service stopped {TRIES} times while it read this file. Import it with the command line instead."
)
_CONTINUED = "Note: the service stopped meanwhile. Comments imported before that count as existing."

Stopped = Callable[[], bool]

log = logging.getLogger(__name__)


class _JobTakenError(Exception):
    """The job was cancelled, or another process has it."""


class _StoppingError(Exception):
    """The process is to end."""


@dataclass
class _Claim:
    """A job that this process works on, and the progress that the owner sees."""

    engine: Engine
    job_id: int
    site_id: int
    name: str
    stopped: Stopped
    bytes_read: int = 0
    shown_at: float = field(default_factory=time.monotonic)

    def on_read(self, number: int) -> None:
        """Count bytes, and show them now and then; raises _JobTakenError and _StoppingError."""
        self.bytes_read += number
        if self.stopped():
            raise _StoppingError
        if time.monotonic() >= self.shown_at + SHOW_EVERY:
            self.shown_at = time.monotonic()
            self.write(bytes_read=self.bytes_read, claimed_at=now())

    def write(self, **values: Any) -> None:
        """Change the job, of which readers see nothing, so that no page is announced as changed."""
        mine = (ImportJob.id == self.job_id) & (ImportJob.claim == self.name)
        with connect_to_write(self.engine) as connection:
            number = connection.execute(update(ImportJob).where(mine).values(**values)).rowcount
            connection.commit()
        if not number:
            raise _JobTakenError


@dataclass(frozen=True)
class _Outcome:
    lines: Sequence[str]
    error: str | None
    """Why the file was not read to its end."""


def run_due(session: Session, data_dir: Path, *, stopped: Stopped = lambda: False) -> None:
    """Work on the due jobs, one after the other, until there is none or `stopped` returns True. Commits."""
    while not stopped() and (claim := _next_claim(session, data_dir, stopped)) is not None:
        with suppress(_JobTakenError):
            _work_on(session, data_dir, claim)
        session.rollback()


def _work_on(session: Session, data_dir: Path, claim: _Claim) -> None:
    """Do a pass; raises _JobTakenError, and the errors of a database that cannot be used."""
    try:
        _run(session, data_dir, claim)
    except _JobTakenError:
        raise
    except _StoppingError:
        session.rollback()
        claim.write(claim=None, claimed_at=None, tries=ImportJob.tries - 1)
    except Exception as error:
        session.rollback()
        if is_unavailability(error):
            raise
        log.exception("an import by upload failed")
        _finish(session, data_dir, claim, ImportState.FAILED, _Outcome([], _UNEXPECTED))


def _due_jobs(session: Session, data_dir: Path, at: datetime) -> list[int]:
    rows = session.execute(select(ImportJob.id, ImportJob.file).where(_is_due(at)).order_by(ImportJob.id))
    return [row.id for row in rows if row.file and import_jobs.path_of(data_dir, row.file).is_file()]


def _is_due(at: datetime) -> Any:
    is_free = or_(ImportJob.claimed_at.is_(None), ImportJob.claimed_at < at - LEASE)
    return ImportJob.state.in_(import_jobs.DUE) & is_free


def _next_claim(session: Session, data_dir: Path, stopped: Stopped) -> _Claim | None:
    at = now()
    for job_id in _due_jobs(session, data_dir, at):
        begin_write(session)
        query = select(ImportJob).where(ImportJob.id == job_id, _is_due(at)).with_for_update(skip_locked=True)
        job = session.scalars(query).one_or_none()
        if job is not None:
            job.claim, job.claimed_at, job.tries = secrets.token_hex(16), at, job.tries + 1
            name, site_id = job.claim, job.site_id
            session.commit()
            return _Claim(session.get_bind().engine, job_id, site_id, name, stopped)
    session.rollback()
    return None


def _run(session: Session, data_dir: Path, claim: _Claim) -> None:
    job = session.get_one(ImportJob, claim.job_id, populate_existing=True)
    is_check, tries = job.state is ImportState.CHECKING, job.tries
    if tries > TRIES:
        _finish(session, data_dir, claim, ImportState.FAILED, _Outcome([], _GIVEN_UP))
        return
    path, name, person = import_jobs.path_of(data_dir, job.file or ""), job.file_name, job.commenter_id
    try:
        outcome = _import(session, claim, path, name, person, dry_run=is_check)
    except TransferError as error:
        _finish(session, data_dir, claim, ImportState.FAILED, _Outcome([], str(error)))
        return
    if is_check:
        _finish(session, data_dir, claim, ImportState.READY, outcome)
        return
    continued = [_CONTINUED] if tries > 1 else []
    done = _Outcome([*continued, *outcome.lines], outcome.error)
    _finish(session, data_dir, claim, ImportState.DONE, done)


def _import(
    session: Session, claim: _Claim, path: Path, name: str, person: int | None, *, dry_run: bool
) -> _Outcome:
    """Read the file and return the lines that the command prints, too; raises TransferError if it has nothing."""
    site = session.get_one(Site, claim.site_id)
    pairs = sources.required(input_files.uploaded(path, name), advice=_ADVICE)
    claim.write(size=sum(file.size for file, _ in pairs), bytes_read=0, claimed_at=now())
    reading = ReadLog(claim.on_read)
    preview = ImportPreview(site)
    articles = preview.watch(article for file, source in pairs for article in source.read(file, reading))
    failure = None
    try:
        report = importing.run(
            session,
            site,
            articles,
            at=now(),
            dry_run=dry_run,
            progress=lambda _: claim.on_read(0),
            file_notes=reading.notes,
            moderator_id=person,
        )
    except ImportStoppedError as error:
        if not error.report.read:
            raise
        failure, report = str(error), error.report
    lines = [f"Recognised:   {file.name} is from {source.label}" for file, source in pairs]
    lines += report.lines()
    if dry_run:
        lines += preview.lines()
    else:
        training.learn_imported(session, claim.site_id, progress=lambda: claim.on_read(0))
    return _Outcome(lines, failure)


def _finish(session: Session, data_dir: Path, claim: _Claim, state: ImportState, outcome: _Outcome) -> None:
    """Store the outcome of a pass, and delete the file after the last one."""
    is_last = state is not ImportState.READY
    file = session.scalar(select(ImportJob.file).where(ImportJob.id == claim.job_id))
    session.rollback()
    values = {"file": None} if is_last else {}
    claim.write(
        state=state,
        report=[import_jobs.printable(line) for line in outcome.lines],
        error=outcome.error and import_jobs.printable(outcome.error),
        claim=None,
        claimed_at=None,
        tries=0,
        changed_at=now(),
        **values,
    )
    if is_last and file:
        import_jobs.path_of(data_dir, file).unlink(missing_ok=True)
