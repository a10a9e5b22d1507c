"""The command restore: of an archive, or of a copy of SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy.orm import Session

from commentsvc.cli import archive, options, output, service, sqlite_restore
from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain import hash_keys
from commentsvc.errors import BackupError
from commentsvc.models import now
from commentsvc.serving import service_lock

if TYPE_CHECKING:
    from commentsvc.domain.archive.restoring import RestoreReport
    from commentsvc.domain.recovery.ledgers import Ledgers
    from commentsvc.domain.recovery.replaying import ReplayReport


@click.command()
@click.argument("path", metavar="FILE", type=archive.FILE)
@options.yes_option
def restore(path: Path, yes: bool) -> None:
    """Restore an archive, or a backup of either kind.

    An archive goes into an empty database or beside existing data without changing or duplicating it. A copy of
    SQLite takes the place of the whole database, while the service is stopped. Afterwards the ledger beside the
    backups is replayed: what was erased since is erased again. A backup has roles: restore only your own.
    """
    from commentsvc.domain.recovery import sqlite_copy

    settings = service.settings()
    with path.open("rb") as file:
        is_sqlite = file.read(len(sqlite_copy.HEADER)) == sqlite_copy.HEADER
    lines = _restored_sqlite(settings, path, yes=yes) if is_sqlite else _restored_archive(settings, path)
    for line in lines:
        click.echo(line)


def _restored_sqlite(settings: Settings, path: Path, *, yes: bool) -> Iterator[str]:
    done = sqlite_restore.restore(settings, path, yes=yes, at=now())
    yield f"Restored: {output.plain(str(done.file))}, as it was in the backup."
    yield from _replayed(done.report)
    if done.former is not None:
        yield f"The former database is {output.plain(str(done.former))}: delete it when you no longer need it."
    yield "Everybody has to log in again."


def _restored_archive(settings: Settings, path: Path) -> Iterator[str]:
    from commentsvc.domain.archive import restoring
    from commentsvc.domain.archive.parts import part_of
    from commentsvc.domain.recovery import replaying

    with service.opened(settings) as session, archive.opened(path) as file:
        file.verify()
        present, has_key = _ledgers(session, settings, path)
        replayed = replaying.ReplayReport()

        def amend(session: Session) -> None:
            nonlocal replayed
            replayed = replaying.replay(session, present)

        comments = 2 * file.manifest.records_of(part_of("comment"))  # each is rendered, then stored
        with output.bar(comments, "Restoring") as bar:
            report = restoring.restore(session, file, progress=bar.update, amend=amend)
    if has_key:
        report.unknown_addresses = 0
    yield from _lines(report)
    yield from _replayed(replayed)


def _ledgers(session: Session, settings: Settings, path: Path) -> tuple[Ledgers, bool]:
    """Return the ledgers for an archive, and whether the latest has the key of this database.

    An empty database takes that key over, so that it recognises the hashes of the archive.
    """
    from commentsvc.domain.archive import restoring
    from commentsvc.domain.ledger import entries
    from commentsvc.domain.recovery import ledgers

    own_key = hash_keys.load(session.get_bind().engine)
    directories = (path.parent, settings.ledger_dir, settings.data_dir)
    present = ledgers.in_directories(directories, own_key=own_key)
    wanted = ledgers.latest(present)
    if wanted is not None and wanted != own_key and restoring.is_empty(session):
        _require_stopped(settings)
        begin_write(session)
        hash_keys.adopt(session, wanted)
        session.commit()
        own_key = wanted
    present[own_key] = [*present.get(own_key, []), *entries.stored(session)]
    session.rollback()
    return present, wanted == own_key


def _require_stopped(settings: Settings) -> None:
    """A running service would go on with the key that it has read."""
    if where := service_lock.address_of_service(settings.data_dir):
        raise BackupError(f"The service runs at {where}. Stop it first.")


def _replayed(report: ReplayReport) -> Iterator[str]:
    if report:
        counts = {
            "comment": report.comments,
            "person": report.people,
            "login": report.logins,
            "subscription": report.subscriptions,
            "address": report.addresses,
        }
        done = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
        yield f"Erased or ended again, because that was done after the backup: {done}."


def _lines(report: RestoreReport) -> Iterator[str]:
    """Say what a restore did, and what it could not bring."""
    added = ", ".join(f"{number:,} {name}" for name, number in report.added.items() if number)
    yield f"Restored: {added or 'nothing'}."
    if not report.into_empty:
        there = sum(report.unchanged.values())
        yield f"Were there already, and stay as they are: {output.counted(there, 'record')}."
        skipped = ", ".join(f"{number:,} {name}" for name, number in report.skipped.items() if number)
        if skipped:
            yield f"Left out, because a site or comment that exists keeps its own: {skipped}."
        yield "Comments got new numbers; old links to them lead to them from their articles' pages."
    if report.unknown_addresses:
        yield (
            f"{report.unknown_addresses:,} addresses that want no mail cannot be recognised here, because nothing in "
            "the archive names them: see docs/archive.md."
        )
    yield (
        "Secrets are in no archive: set Akismet's key and the secret of your own sign-in again, and create API tokens, "
        "webhooks, chats, build hooks and previews again."
    )
