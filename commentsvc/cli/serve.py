"""The commands serve, upgrade and settings."""

from __future__ import annotations

import logging
import os
from dataclasses import fields, replace
from functools import partial

import click

from commentsvc.cli import background_work, service
from commentsvc.config import PREFIX
from commentsvc.db import write_stop
from commentsvc.integrations import settings_file
from commentsvc.integrations.oauth import catalogue
from commentsvc.serving import server, service_lock

BIND = "127.0.0.1:8600"
OTHER_SERVICE = (
    "another service with this data directory listens at %s; "
    "stop one of them, unless both are meant to share the database"
)
MOVED = (
    "nothing can be changed in this database, because the service is being moved to another one, or was moved: "
    "see `commentsvc doctor`"
)

log = logging.getLogger(__name__)


@click.command()
@click.option(
    "--bind",
    default=BIND,
    show_default=True,
    metavar="ADDRESS",
    help="HOST:PORT, [IPv6]:PORT or unix:/path/of/socket to listen on.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=server.default_workers,
    show_default="2, or 1 on a single processor",
    help="Processes that answer requests.",
)
@click.option(
    "--access-log/--no-access-log", default=True, show_default=True, help="Log a line for each request."
)
def serve(bind: str, workers: int, access_log: bool) -> None:
    """Run the service until Ctrl+C or SIGTERM.

    It migrates the database first, and finishes running requests before it stops.
    """
    settings = service.settings()
    where = server.read_bind(bind)
    where.require_free()
    application = service.Application(settings)
    if application.bring_up_to_date():
        log.info("the database was brought up to date")
    with application.in_use() as engine:
        if write_stop.stands(engine):
            log.warning(MOVED)
    application.show_one_thread()
    log.info("serving %s at %s", settings.base_url, where.url)
    with service_lock.held(settings.data_dir, str(where)) as other:
        if other:
            log.warning(OTHER_SERVICE, other)
        server.serve(
            partial(background_work.load, application),
            where,
            workers=workers,
            access_log=access_log,
            log_format=settings.log_format,
        )


@click.command()
def upgrade() -> None:
    """Migrate the database after an update (`serve` does so too)."""
    changed = service.bring_up_to_date(service.settings())
    click.echo("The database was brought up to date." if changed else "The database is up to date.")


@click.group(invoke_without_command=True)
@click.pass_context
def settings(context: click.Context) -> None:
    """Show every setting with its value and meaning."""
    if context.invoked_subcommand is None:
        _show_settings()


@settings.command()
def check() -> None:
    """Check the settings, as before a restart.

    It needs neither the database nor the service, and names every fault at once. `commentsvc doctor` checks whether
    the service works with them.
    """
    present = service.settings()
    offered = catalogue.offered(present)
    file = settings_file.path(os.environ)
    click.echo(f"The settings have no faults: {file if file.exists() else 'the environment'}.")
    click.echo(f"Login providers: {', '.join(row.key for row in offered) or 'none'}")


def _show_settings() -> None:
    present = service.settings()
    offered = ", ".join(provider.key for provider in catalogue.offered(present))
    present = replace(present, mail_from=present.sender)
    for item in fields(present):
        if doc := item.metadata.get("doc"):
            click.secho(f"{PREFIX}{item.name.upper()}", bold=True, nl=False)
            click.echo(f" = {_shown(item.name, getattr(present, item.name))}\n    {doc}")
    click.echo(f"Login providers: {offered or 'none'}")


def _shown(name: str, value: object) -> str:
    if name in {"secret_key", "metrics_token", "mastodon_tokens"} and value:
        return "(kept secret)"
    if name in {"database_url", "redis_url", "smtp_url"}:
        return service.without_password(str(value))
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
