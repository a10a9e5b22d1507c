"""import: comments from another system."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from commentsvc.cli import service
from commentsvc.domain import importing, sites
from commentsvc.models import now
from commentsvc.transfer import wordpress


@click.group(name="import")
def import_() -> None:
    """Bring comments along from another system."""


@import_.command(name="wordpress")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", "site_name", required=True, metavar="NAME", help="The site they belong to.")
@click.option("--to", metavar="URL", help="Where the articles live now, if they have moved.")
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
def wordpress_(file: Path, site_name: str, to: str | None, dry_run: bool) -> None:
    """Import the comments of a WordPress export FILE (in WordPress: Tools, Export, All content).

    Run it as often as you like: what was imported before is left alone.
    """
    with (
        service.writing(service.settings()) as session,
        click.progressbar(length=file.stat().st_size, label=f"Reading {file.name}", file=sys.stderr) as bar,
    ):
        report = importing.run(
            session,
            sites.by_name(session, site_name),
            wordpress.read(file, on_read=bar.update),
            at=now(),
            dry_run=dry_run,
            to=to,
        )
    click.echo("\n".join(report.lines()))
