"""Runs an import for a person at a terminal, who sees its progress."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy.orm import Session

from commentsvc.cli import output
from commentsvc.db.session import begin_write
from commentsvc.domain.spam import training
from commentsvc.domain.spam.spam_filter import Counts
from commentsvc.domain.transfer import (
    article_map,
    import_follow,
    importing,
    input_files,
    sitemaps,
    sources,
    text_encodings,
)
from commentsvc.domain.transfer.article_map import ArticleMap
from commentsvc.domain.transfer.import_preview import ImportPreview
from commentsvc.domain.transfer.import_report import ImportReport
from commentsvc.domain.transfer.importing import ImportStoppedError
from commentsvc.domain.transfer.input_files import ImportFile, ReadLog
from commentsvc.domain.transfer.records import ImportedThread
from commentsvc.domain.transfer.sources import ImportSource
from commentsvc.errors import TransferError
from commentsvc.models import Site, now

_Pair = tuple[ImportFile, ImportSource]


@dataclass(frozen=True)
class ImportOptions:
    """The options of `commentsvc import`."""

    source_name: str | None
    to: str | None
    map_file: Path | None
    sitemap: str | None
    hosts: Sequence[str]
    follow: bool
    update: bool
    page_ids: bool
    authors: Mapping[str, int]
    """Accounts here, by their logins there."""


def run(
    session: Session, site: Site, paths: Sequence[str], options: ImportOptions, *, dry_run: bool
) -> Iterator[str]:
    """Import the files and yield the report's lines; raises TransferError and click.UsageError.

    Of a file that cannot be read to its end, what was read whole is reported before the error is raised.
    """
    source_name, paths = _chosen(options.source_name, paths)
    preview = ImportPreview(
        site, options.to, sitemaps.addresses(options.sitemap) if options.sitemap else None
    )
    failure: ImportStoppedError | None = None
    with input_files.opened(paths, sys.stdin.buffer) as files:
        pairs = _pairs(files, source_name)
        yield from (
            f"Recognised:   {output.plain(file.name)} is from {source.label}" for file, source in pairs
        )
        try:
            if not dry_run:
                yield from _warnings(pairs)
                yield from _follow(session, site, pairs, options)
            report = _import(session, site, pairs, options, preview, dry_run=dry_run)
        except ImportStoppedError as error:
            failure, report = error, error.report
    if failure is not None and not report.read:
        raise failure
    learned = Counts() if dry_run else training.learn_imported(session, site.id)
    yield from map(output.plain_line, report.lines())
    if dry_run or options.sitemap:
        yield from map(output.plain_line, preview.lines())
    yield from _learned_lines(learned)
    if failure is not None:
        raise failure


def _import(
    session: Session,
    site: Site,
    pairs: Sequence[_Pair],
    options: ImportOptions,
    preview: ImportPreview,
    *,
    dry_run: bool,
) -> ImportReport:
    with output.bar(sum(file.size for file, _ in pairs), "Comparing" if dry_run else "Importing") as bar:
        log = ReadLog(bar.update)
        articles = preview.watch(_placed(_read(pairs, log, page_ids=options.page_ids), options))
        return importing.run(
            session,
            site,
            articles,
            at=now(),
            dry_run=dry_run,
            to=options.to,
            file_notes=log.notes,
            authors=options.authors,
            update=options.update,
        )


def _warnings(pairs: Iterable[_Pair]) -> Iterator[str]:
    """Yield what should be known of the files before anything of them is written."""
    for file, _ in pairs:
        with file.open() as stream:
            number, note = text_encodings.invalid_in(stream)
        if number:
            yield f"Before anything is written: {note}: {number}"


def _follow(session: Session, site: Site, pairs: Sequence[_Pair], options: ImportOptions) -> Iterator[str]:
    """Move threads to their articles' new addresses, if the option says so."""
    if not options.follow:
        return
    report = _import(session, site, pairs, options, ImportPreview(site), dry_run=True)
    if report.elsewhere:
        begin_write(session)
        moves = [(thread_id, url) for thread_id, _, url in report.elsewhere]
        action = import_follow.follow(session, site, moves, moderator_id=None, at=now())
        session.commit()
        yield f"{action.summary} An owner can undo that in the admin view, under Activity."


def _chosen(name: str | None, paths: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """Return the source's name and the files; `import wordpress FILE`, as it was written first, means `--from`."""
    if name is None and len(paths) > 1 and paths[0] in sources.NAMES and not Path(paths[0]).exists():
        name, paths = paths[0], paths[1:]
    if name is not None and name not in sources.NAMES:
        raise click.UsageError(f"{name!r} is not one of {', '.join(sources.NAMES)}.")
    for path in paths:
        if path != input_files.STANDARD_INPUT and not Path(path).exists():
            raise click.UsageError(f"{path!r} does not exist.")
    return name, paths


def _pairs(files: Sequence[ImportFile], name: str | None) -> list[_Pair]:
    if name is None:
        return sources.required(files)
    if not files:
        raise TransferError("There is no file in this folder.")
    return [(file, sources.named(name)) for file in files]


def _read(pairs: Iterable[_Pair], log: ReadLog, *, page_ids: bool) -> Iterator[ImportedThread]:
    for file, source in pairs:
        reader = (source.read_by_page_id if page_ids else None) or source.read
        yield from reader(file, log)


def _placed(articles: Iterator[ImportedThread], options: ImportOptions) -> Iterator[ImportedThread]:
    if options.hosts:
        articles = article_map.only_hosts(articles, options.hosts)
    return ArticleMap.read(options.map_file)(articles) if options.map_file else articles


def _learned_lines(learned: Counts) -> list[str]:
    if not learned.spam and not learned.ham:
        return []
    return [f"Learned:      {learned.spam} as spam and {learned.ham} as good, for the site's own filter"]
