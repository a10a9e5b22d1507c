"""The commands init, serve, upgrade and settings."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import partial

import click
from sqlalchemy import select

from commentsvc.cli import deliver, service
from commentsvc.config import PREFIX, Settings
from commentsvc.domain.sites import separate_origins
from commentsvc.errors import SettingsError
from commentsvc.integrations import settings_file
from commentsvc.integrations.oauth import catalogue
from commentsvc.models import Origin
from commentsvc.serving import server

SECRET_KEY, BASE_URL, PROXIES = (f"{PREFIX}{name}" for name in ("SECRET_KEY", "BASE_URL", "TRUSTED_PROXIES"))
LOCAL = "http://127.0.0.1:8600"
BIND = "127.0.0.1:8600"

log = logging.getLogger(__name__)


@click.command()
@click.option(
    "--base-url", metavar="URL", help="The address browsers will see, such as https://comments.example."
)
def init(base_url: str | None) -> None:
    """Create a data directory with settings and an empty database.

    It is safe to repeat: existing settings and data stay as they are.
    """
    file = settings_file.path(os.environ)
    present = settings_file.merged(os.environ)
    new = _missing(present, base_url)
    settings = Settings.from_env(present | new)  # faults show before anything is written
    if base_url and Settings.from_env(present | new | {BASE_URL: base_url}).base_url != settings.base_url:
        raise SettingsError([f"{BASE_URL} is already {settings.base_url}; change it where it is set."])
    if new:
        settings_file.append(file, new)
        click.echo(f"Wrote {', '.join(new)} to {file}")
    service.bring_up_to_date(settings)
    with service.opened(settings) as session:
        separate_origins.require_separate(session.scalars(select(Origin.origin)), settings.base_url)
    click.echo(f"The database is ready: {service.without_password(settings.database_url)}")
    click.echo(
        f"\nNext:\n"
        f'  commentsvc site add "My blog" https://blog.example   the website that will show comments\n'
        f"  commentsvc serve                                     then open {settings.base_url}\n"
        f"  commentsvc admin link                                a sign-in link for the admin view"
    )
    if not settings.secure:
        click.echo(
            f"\nReaders need https: put a reverse proxy in front (docs/serving.md) and set {BASE_URL}."
        )
    elif not settings.trusted_proxies:
        click.echo(
            f"\nSet {PROXIES} to the address of the proxy in front, such as 127.0.0.1,\n"
            "or all readers count as one network for limits, bans and reports."
        )


@click.command()
@click.option(
    "--bind", default=BIND, show_default=True, metavar="HOST:PORT", help="Address and port to listen on."
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
    where = server.Bind.read(bind)
    where.require_free()
    application = service.Application(settings)
    if application.bring_up_to_date():
        log.info("the database was brought up to date")
    application.show_one_thread()
    log.info("serving %s at http://%s", settings.base_url, where)
    server.serve(
        partial(deliver.load, application),
        where,
        workers=workers,
        access_log=access_log,
    )


@click.command()
def upgrade() -> None:
    """Migrate the database after an update of commentsvc (`serve` does so too)."""
    changed = service.bring_up_to_date(service.settings())
    click.echo("The database was brought up to date." if changed else "The database is up to date.")


@click.command()
def settings() -> None:
    """Show every setting with its value and meaning."""
    present = service.settings()
    offered = ", ".join(provider.key for provider in catalogue.offered(present))
    present = replace(present, mail_from=present.sender)
    for item in fields(present):
        if doc := item.metadata.get("doc"):
            click.secho(f"{PREFIX}{item.name.upper()}", bold=True, nl=False)
            click.echo(f" = {_shown(item.name, getattr(present, item.name))}\n    {doc}")
    click.echo(f"Login providers: {offered or 'none'}")


def _missing(present: Mapping[str, str], base_url: str | None) -> dict[str, str]:
    """Return the settings that `init` has to write."""
    new = {}
    if not present.get(SECRET_KEY, "").strip():
        new[SECRET_KEY] = secrets.token_urlsafe(48)
    if not present.get(BASE_URL, "").strip():
        new[BASE_URL] = base_url or LOCAL
    return new


def _shown(name: str, value: object) -> str:
    if name == "secret_key":
        return "(kept secret)"
    if name in {"database_url", "redis_url", "smtp_url"}:
        return service.without_password(str(value))
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
