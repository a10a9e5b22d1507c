"""The commands export and archive verify."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commentsvc import durable_files
from commentsvc.cli import options, output, service
from commentsvc.models import now

if TYPE_CHECKING:
    from commentsvc.domain.archive.reading import ArchiveFile, Manifest

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--site", "site_name", metavar="NAME", help="Only this site; an archive without it has all of them."
)
@click.option(
    "--output",
    "path",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; its ending means the format.",
)
@click.option(
    "--format",
    "format_name",
    metavar="FORMAT",
    help="archive (.zip), wxr (.xml), json or csv, for another ending.",
)
def export(site_name: str | None, path: Path, format_name: str | None) -> None:
    """Write a site's comments, or everything, into a file.

    An archive has everything (docs/archive.md); other systems read WXR, JSON and CSV. Keep the file private: it has
    addresses, and texts that readers do not see.
    """
    from commentsvc.domain.archive import writing
    from commentsvc.domain.transfer import export_formats

    chosen = export_formats.named(format_name) if format_name else export_formats.of_file(path)
    if chosen is None:
        raise click.UsageError(f"--format must be one of {', '.join(export_formats.NAMES)}.")
    with service.opened(service.settings()) as session, durable_files.replacing(path) as file:
        is_archive = chosen.name == "archive"
        site = None if is_archive and site_name is None else options.chosen_site(session, site_name)
        pieces = (
            writing.pieces(session, None, at=now()) if site is None else chosen.write(session, site, now())
        )
        for piece in pieces:
            file.write(piece)
    click.echo(f"Written: {output.plain(str(path))}, {path.stat().st_size:,} bytes.")
    if is_archive:
        with opened(path) as archive:
            _show(path, archive.manifest)
    click.echo(chosen.lost)


@click.group()
def archive() -> None:
    """Check an archive."""


@archive.command()
@click.argument("path", metavar="FILE", type=FILE)
def verify(path: Path) -> None:
    """Check that an archive is whole, without a database."""
    with opened(path) as archive:
        archive.verify()
        _show(path, archive.manifest)
    click.echo("Every record can be read, and all checksums fit.")


@contextmanager
def opened(path: Path) -> Iterator[ArchiveFile]:
    from commentsvc.domain.archive.reading import ArchiveFile

    with ArchiveFile(path) as archive:
        yield archive


def _show(path: Path, manifest: Manifest) -> None:
    from commentsvc.domain.archive.parts import PARTS

    whose = "all sites" if manifest.site is None else f"the site {manifest.site}"
    click.echo(output.plain(f"{path}: an archive of {whose}, written at {manifest.created_at}."))
    output.print_columns((part.name, f"{manifest.records_of(part):,}") for part in PARTS)
    click.echo(f"Checksum: {manifest.sha256}")
