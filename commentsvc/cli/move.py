"""The command move."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from sqlalchemy import Engine

from commentsvc.cli import output, service
from commentsvc.config import PREFIX
from commentsvc.db.session import sqlite_file
from commentsvc.integrations import migrations, settings_file

if TYPE_CHECKING:
    from commentsvc.domain.service_move.moving import MoveReport

DATABASE_URL = f"{PREFIX}DATABASE_URL"
_SHOWN = 16
"""Digits of a digest that are printed."""


@click.command()
@click.option("--to", "url", metavar="URL", help="An empty database: postgresql://… or sqlite:////path.")
@click.option(
    "--cancel", is_flag=True, help="Give a database back to the service that was moved away from it."
)
@click.pass_context
def move(context: click.Context, url: str | None, cancel: bool) -> None:
    """Move the service to another database, while it runs.

    Reading still works; commenters must try again in a few minutes, and keep their text. All tables are compared
    row by row at the end; the exit code is 1 if anything differs, and then nothing is moved.
    """
    if cancel == (url is not None):
        raise click.UsageError("Give either --to URL or --cancel.")
    if url is None:
        _cancel()
    elif not _move(url):
        context.exit(1)


def _move(url: str) -> bool:
    from commentsvc.domain.service_move import moving

    with service.migrated(service.settings()) as source, _destination(url) as destination:
        here = moving.Side(source, _shown(source))
        there = moving.Side(destination, _shown(destination))
        with output.bar(moving.STEPS, "Moving") as bar:
            report = moving.move(here, there, lambda _: bar.update(1))
    _show(report)
    if not report.is_done:
        click.echo("The databases differ, so nothing was moved: the service goes on with its database.")
        return False
    click.echo(
        f"Everything is in {there.url}. Now set {DATABASE_URL} to it, with its password, where it is set today "
        "(settings.env or the unit), and restart the service on every machine:\n"
        "  systemctl restart commentsvc\n"
        f"Until then people can read, and nothing can be changed. The earlier database, {here.url}, refuses changes "
        "from now on; keep it until you have looked at the new one. If you want to stay with it, "
        "`commentsvc move --cancel` gives it back: what was written in the new one is not in it."
    )
    return True


def _cancel() -> None:
    from commentsvc.domain.service_move import source_stop

    with service.migrated(service.settings()) as engine:
        former = source_stop.cancel(engine)
    if former is None:
        click.echo("This database was not moved, so there is nothing to cancel.")
    else:
        click.echo(f"The move to {former.other} is cancelled. The service can change this database again.")


@contextmanager
def _destination(url: str) -> Iterator[Engine]:
    """Yield the engine of the other database with the current schema; raises MoveError if it has another's tables."""
    from commentsvc.domain.service_move import target

    settings = settings_file.settings({**os.environ, DATABASE_URL: url})
    if file := sqlite_file(settings.database_url):
        file.touch(mode=0o600)
    application = service.Application(settings)
    with application.in_use() as engine:
        target.require_own_or_new(engine)
        if not migrations.is_up_to_date(engine):
            migrations.bring_up_to_date()
        yield engine


def _shown(engine: Engine) -> str:
    url = engine.url.set(drivername=engine.dialect.name)
    return service.without_password(url.render_as_string(hide_password=False))


def _show(report: MoveReport) -> None:
    if report.completed_earlier:
        click.echo("An earlier move had copied everything; it is complete now.")
        return
    rows = [("Table", "Rows here", "there", "Digest here", "there", "")]
    for table in report.tables:
        here, there = table.source, table.target
        numbers = (f"{here.rows:,}", f"{there.rows:,}", here.digest[:_SHOWN], there.digest[:_SHOWN])
        rows.append((table.name, *numbers, "equal" if table.is_equal else "DIFFERS"))
    output.print_columns(rows)
    if report.nul_texts:
        click.echo(
            f"{output.counted(report.nul_texts, 'text')} had NUL characters, which PostgreSQL cannot store; they have "
            "the replacement character U+FFFD instead."
        )
