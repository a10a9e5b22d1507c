"""The commands import, rerender and reindex."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy.orm import Session

from commentsvc.cli import import_authors, output, service
from commentsvc.db.session import begin_write
from commentsvc.domain.maintenance import reindexing, rerendering
from commentsvc.domain.sites import sites
from commentsvc.domain.spam import training
from commentsvc.domain.spam.spam_filter import Counts
from commentsvc.models import Site, now

if TYPE_CHECKING:
    from commentsvc.domain.transfer.import_report import ImportReport


@click.group(name="import")
def import_() -> None:
    """Import comments from another system."""


@import_.command(name="wordpress")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", "site_name", required=True, metavar="NAME", help="The site they belong to.")
@click.option("--to", metavar="URL", help="The origin of the articles now, if they have moved.")
@click.option("--follow", is_flag=True, help="Move threads to the addresses that their articles have by now.")
@click.option("--update", is_flag=True, help="Bring texts and statuses that have changed there since.")
@click.option(
    "--author",
    "pairs",
    multiple=True,
    metavar="LOGIN=ACCOUNT",
    help="The account of an author of the blog here: a number of `user list`, or owner. Repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Only report what would happen.")
def wordpress_(
    file: Path,
    site_name: str,
    to: str | None,
    follow: bool,
    update: bool,
    pairs: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Import the comments of a WordPress export FILE (in WordPress: Tools, Export, All content).

    You can repeat it: comments that were imported before stay unchanged.
    """
    # No other command should have to load these.
    from commentsvc.domain.transfer import importing, wordpress

    with service.opened(service.settings()) as session:
        site = sites.by_name(session, site_name)
        authors = import_authors.read(session, site, pairs)

        def run(label: str, *, dry: bool) -> ImportReport:
            notes: Counter[str] = Counter()
            with output.bar(file.stat().st_size, label) as bar:
                articles = wordpress.read(file, on_read=bar.update, notes=notes)
                return importing.run(
                    session,
                    site,
                    articles,
                    at=now(),
                    dry_run=dry,
                    to=to,
                    file_notes=notes,
                    authors=authors,
                    update=update,
                )

        if not dry_run:
            _warn_of_encoding(file)
        try:
            if follow and not dry_run:
                _follow(session, site, run(f"Comparing {file.name}", dry=True))
            report = run(f"Reading {file.name}", dry=dry_run)
        except importing.ImportStoppedError as error:
            if error.report.read:
                _show(error.report)
            if not dry_run:
                training.learn_imported(session, site.id)
            raise
        learned = Counts() if dry_run else training.learn_imported(session, site.id)
    _show(report)
    if learned.spam or learned.ham:
        click.echo(
            f"Learned:      {learned.spam} as spam and {learned.ham} as good, for the site's own filter"
        )


def _warn_of_encoding(file: Path) -> None:
    from commentsvc.domain.transfer import text_encodings

    with file.open("rb") as opened:
        number, note = text_encodings.invalid_in(opened)
    if number:
        click.echo(f"Before anything is written: {note}: {number}")


def _show(report: ImportReport) -> None:
    for line in report.lines():
        # Words of the file must not control the terminal; the columns' spaces stay.
        click.echo("".join(char if char.isprintable() else " " for char in line))


def _follow(session: Session, site: Site, report: ImportReport) -> None:
    from commentsvc.domain.transfer import import_follow

    if report.elsewhere:
        begin_write(session)
        moves = [(thread_id, url) for thread_id, _, url in report.elsewhere]
        action = import_follow.follow(session, site, moves, moderator_id=None, at=now())
        session.commit()
        click.echo(f"{action.summary} An owner can undo that in the admin view, under Activity.")


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
