"""The command backup."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy.orm import Session

from commentsvc.cli import output, service
from commentsvc.cli.checks.storage import BACKUP_DIR
from commentsvc.domain.ledger import upkeep
from commentsvc.models import now


@click.command()
@click.argument(
    "directory", metavar="[DIR]", required=False, type=click.Path(file_okay=False, path_type=Path)
)
def backup(directory: Path | None) -> None:
    """Make a backup in DIR, and prove it, while the service runs.

    It is read back and compared before it gets its name. Without DIR, it goes into COMMENTSVC_BACKUP_DIR. No earlier
    backup is removed. docs/backups.md says how to restore it.
    """
    from commentsvc.domain.recovery import making

    settings = service.settings()
    where = directory or (Path(settings.backup_dir) if settings.backup_dir else None)
    if where is None:
        raise click.UsageError(f"Name a directory, or set {BACKUP_DIR}.")
    with service.migrated(settings) as engine:
        path = making.make(engine, where, at=now())
        with Session(engine) as session:
            upkeep.bring_up_to_date(session, where)
    click.echo(f"Written and proved: {output.plain(str(path))}, {path.stat().st_size:,} bytes.")
