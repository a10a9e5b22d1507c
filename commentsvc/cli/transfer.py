"""The commands import, rerender and reindex."""

from __future__ import annotations

from pathlib import Path

import click

from commentsvc.cli import output, service
from commentsvc.domain.maintenance import reindexing, rerendering
from commentsvc.domain.sites import sites
from commentsvc.domain.spam import training
from commentsvc.domain.spam.spam_filter import Counts
from commentsvc.models import now


@click.group(name="import")
def import_() -> None:
    """Import comments from another system."""


@import_.command(name="wordpress")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", "site_name", required=True, metavar="NAME", help="The site they belong to.")
@click.option("--to", metavar="URL", help="The origin of the articles now, if they have moved.")
@click.option("--dry-run", is_flag=True, help="Only report what would happen.")
def wordpress_(file: Path, site_name: str, to: str | None, dry_run: bool) -> None:
    """Import the comments of a WordPress export FILE (in WordPress: Tools, Export, All content).

    You can repeat it: comments that were imported before stay unchanged.
    """
    from commentsvc.domain.transfer import (
        importing,  # which no other command should have to load
        wordpress,
    )

    with service.opened(service.settings()) as session:
        site = sites.by_name(session, site_name)
        size = file.stat().st_size
        with output.bar(size, f"Reading {file.name}") as bar:
            articles = wordpress.read(file, on_read=bar.update)
            report = importing.run(session, site, articles, at=now(), dry_run=dry_run, to=to)
        learned = Counts() if dry_run else training.learn_imported(session, site.id)
    click.echo("\n".join(report.lines()))
    if learned.spam or learned.ham:
        click.echo(
            f"Learned:      {learned.spam} as spam and {learned.ham} as good, for the site's own filter"
        )


@click.command()
@click.option(
    "--all", "every", is_flag=True, help="Every comment, not only those that an older version rendered."
)
def rerender(every: bool) -> None:
    """Render stored comments again, if the notes of an update say so.

    What people wrote stays unchanged; only its HTML is rendered again.
    """
    with service.opened(service.settings()) as session:
        due = rerendering.count(session, force=every)
        with output.bar(due, "Rendering") as bar:
            done = rerendering.rerender(session, force=every, progress=bar.update)
    click.echo(f"Rendered again: {done:,} of {due:,} comments." if due else "Every comment is up to date.")


@click.command()
def reindex() -> None:
    """Index stored comments again, if the notes of an update say so.

    What an older release stored becomes searchable by the rules of this one.
    It runs beside the service, and can be interrupted and started again.
    """
    with service.opened(service.settings()) as session:
        due = reindexing.count(session)
        with output.bar(due, "Indexing") as bar:
            done = reindexing.reindex(session, progress=bar.update)
    click.echo(f"Indexed: {done:,} comments, articles and people." if due else "Everything is up to date.")
