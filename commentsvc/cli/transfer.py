"""The commands import, rerender and reindex."""

from __future__ import annotations

from pathlib import Path

import click

from commentsvc.cli import import_authors, output, service
from commentsvc.domain.maintenance import reindexing, rerendering
from commentsvc.domain.sites import sites


@click.command(name="import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--site", "site_name", required=True, metavar="NAME", help="The site they belong to.")
@click.option(
    "--from", "source_name", metavar="SYSTEM", help="What the files are from, if it is not recognised."
)
@click.option("--dry-run", is_flag=True, help="Only report what would happen, and show ten comments.")
@click.option("--to", metavar="URL", help="The origin of the articles now, if they have moved.")
@click.option(
    "--map",
    "map_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV file of old and new addresses.",
)
@click.option("--sitemap", metavar="URL|FILE", help="List addresses that are not in this sitemap.")
@click.option(
    "--host", "hosts", multiple=True, metavar="HOST", help="Leave out articles of other hosts. Repeatable."
)
@click.option("--follow", is_flag=True, help="Move threads to the addresses that their articles have by now.")
@click.option("--update", is_flag=True, help="Bring texts and statuses that have changed there since.")
@click.option(
    "--author",
    "pairs",
    multiple=True,
    metavar="LOGIN=ACCOUNT",
    help="The account of an author of the blog here: a number of `user list`, or owner. Repeatable.",
)
@click.option("--page-ids", is_flag=True, help="Disqus: find threads by the ids that pages gave them.")
def import_(
    files: tuple[str, ...],
    site_name: str,
    source_name: str | None,
    dry_run: bool,
    to: str | None,
    map_file: Path | None,
    sitemap: str | None,
    hosts: tuple[str, ...],
    follow: bool,
    update: bool,
    pairs: tuple[str, ...],
    page_ids: bool,
) -> None:
    """Import comments from other systems' exports.

    A FILE may be compressed, a folder, or - for standard input. docs/moving.md says how to get it from WordPress,
    Disqus, Isso, Remark42, Commento, Comentario, Blogger, Artalk, Waline, or anything that writes JSON or CSV.

    You can repeat it: comments that were imported before stay unchanged.
    """
    from commentsvc.cli import import_run  # its parts are slow to import, and no other command needs them

    with service.opened(service.settings()) as session:
        site = sites.by_name(session, site_name)
        authors = import_authors.read(session, site, pairs)
        options = import_run.ImportOptions(
            source_name, to, map_file, sitemap, hosts, follow, update, page_ids, authors
        )
        for line in import_run.run(session, site, files, options, dry_run=dry_run):
            click.echo(line)


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
