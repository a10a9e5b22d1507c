"""The `doctor` command: checks the setup, and says how to fix what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from commentsvc.cli import service
from commentsvc.config import APPLE_KEY, PREFIX, Settings
from commentsvc.db import outage, sqlite
from commentsvc.db.session import sqlite_file
from commentsvc.domain.maintenance import reader_networks
from commentsvc.domain.sites import separate_origins
from commentsvc.errors import MailError, OutboundError, ProviderError
from commentsvc.http_client import client
from commentsvc.integrations.oauth import catalogue
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.models import Site
from commentsvc.serving.page_cache import change_broadcast

RESTORE = "The file is damaged. Stop the service and restore a backup (docs/serving.md, “When something is broken”)."
NO_SPACE = "Free some space, or nobody can comment. The comments that are stored are safe."
FREE_LEAST = 100_000_000
"""Bytes."""
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Finding:
    """One check and its outcome; `advice` is set if something is wrong."""

    subject: str
    state: str
    advice: str = ""


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check whether the service, its sites and its login providers are set up correctly.

    This changes nothing. It lists each login provider with the redirect address to enter there. The exit code is 1
    if there is something to fix.
    """
    settings = service.settings()
    with service.opened(settings) as session:
        findings = [*_database(session, settings), *_service(settings)]
        if not any(finding.advice == RESTORE for finding in findings):
            findings += [_readers(session), *_sites(session, settings)]
        findings += _mail(settings)
    findings += [finding for row in catalogue.offered(settings) for finding in _provider(row, settings)]
    for finding in findings:
        mark = click.style("!", fg="red", bold=True) if finding.advice else click.style("✓", fg="green")
        click.echo(f"{mark} {finding.subject:<16} {finding.state}")
        if finding.advice:
            click.echo(f"  {'':<16} {finding.advice}")
    _name_the_others(settings)
    if any(finding.advice for finding in findings):
        context.exit(1)


def _database(session: Session, settings: Settings) -> Iterator[Finding]:
    yield Finding("Database", settings.database_url.partition("@")[2] or settings.database_url)
    if file := sqlite_file(settings.database_url):
        yield _pages(session)
        yield _disk(file.parent)


def _pages(session: Session) -> Finding:
    """Read all of a SQLite file; damaged pages may otherwise be met by one reader in a year."""
    try:
        (result, *_) = session.scalars(text("PRAGMA quick_check(1)")).all()
    except DatabaseError as error:
        result = outage.reason(error)
        session.rollback()
    return Finding("Its pages", "are sound") if result == "ok" else Finding("Its pages", result, RESTORE)


def _disk(directory: Path) -> Finding:
    """Check whether there is space for comments to come."""
    if fault := sqlite.storage_fault(directory):
        return Finding("Its disk", f"takes nothing: {fault}", NO_SPACE)
    free = shutil.disk_usage(directory).free
    return Finding("Its disk", f"has {free / 1e6:,.0f} MB free", NO_SPACE if free < FREE_LEAST else "")


def _service(settings: Settings) -> Iterator[Finding]:
    host = urlsplit(settings.base_url).hostname or ""
    insecure = not settings.secure and host not in _LOOPBACK
    advice = (
        "Without https, browsers keep no login inside other pages. Put a proxy with a certificate in front."
    )
    yield Finding("Address", settings.base_url, advice if insecure else "")
    if settings.secure:
        yield _proxies(settings)
    yield _reached(settings)
    if settings.redis_url:
        yield _redis(settings)


def _proxies(settings: Settings) -> Finding:
    """Check whether readers can be distinguished: a service with https is behind a proxy."""
    if settings.trusted_proxies:
        return Finding("Trusted proxies", ", ".join(map(str, settings.trusted_proxies)))
    advice = (
        "All readers count as one network: for limits, bans and reports. "
        f"Set {PREFIX}TRUSTED_PROXIES to the proxy's address, as 127.0.0.1."
    )
    return Finding("Trusted proxies", "none", advice)


def _readers(session: Session) -> Finding:
    """Check whether readers have networks of their own, or all that of a CDN in front of the proxy."""
    lately = reader_networks.lately(session)
    state = f"{lately.people} people from {lately.networks} networks wrote the latest comments"
    advice = (
        "Unless they share an office, a CDN or a proxy hides them: limits, bans and reports mix them up. "
        'See "Behind a CDN" in docs/serving.md.'
    )
    return Finding("Networks", state, advice if lately.are_few else "")


def _redis(settings: Settings) -> Finding:
    where = service.without_password(settings.redis_url)
    if reason := change_broadcast.connection_error(settings.redis_url):
        advice = (
            f"{reason} Until it answers, nothing is limited, and other machines see changes within a second."
        )
        return Finding("Redis", f"{where} does not answer", advice)
    return Finding("Redis", f"{where} answers")


def _reached(settings: Settings) -> Finding:
    """Request our own service at the address that browsers use."""
    try:
        answer = client.fetch(
            f"{settings.base_url}/healthz",
            largest=10_000,
            seconds=5.0,
            accept=frozenset({"application/json"}),
            redirects=0,
            allow_private=True,
        )
    except OutboundError as error:
        return Finding(
            "Answers there", "no", f"{error} Is `commentsvc serve` running, and the proxy in front of it?"
        )
    if answer.status == 200:
        return Finding("Answers there", "yes")
    return Finding("Answers there", f"with {answer.status}", _said(answer.body))


def _said(body: bytes) -> str:
    """Return what `/healthz` says is wrong."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return "Something else answers, or the service has an error."


def _mail(settings: Settings) -> Iterator[Finding]:
    if not settings.smtp_url:
        advice = f"{PREFIX}ALERT_MAIL needs {PREFIX}SMTP_URL." if settings.alert_mail else ""
        yield Finding("Mail", "none is sent", advice)
        return
    from commentsvc.integrations import smtp  # here, because not every service sends mail

    relay = smtp.SmtpServer.read(settings.smtp_url)
    where = f"from {settings.sender} by {relay.host}:{relay.port}"
    try:
        yield Finding("Mail", f"{where}: {smtp.greet(relay)}")
    except MailError as error:
        yield Finding("Mail", where, str(error))


def _sites(session: Session, settings: Settings) -> Iterator[Finding]:
    sites = session.scalars(select(Site).order_by(Site.name)).all()
    if not sites:
        yield Finding("Sites", "none", '`commentsvc site add "My blog" https://blog.example` adds one.')
    for site in sites:
        origins = [origin.origin for origin in site.origins]
        mixed = not settings.secure and any(origin.startswith("https://") for origin in origins)
        advice = "Its pages use https; browsers will not load comments into them over http."
        shared = separate_origins.shared_origin_fault(origins, settings.base_url)
        yield Finding("Site", f"{site.name}: {', '.join(origins)}", shared or (advice if mixed else ""))


def _provider(row: Provider, settings: Settings) -> Iterator[Finding]:
    if row.key == "mastodon":
        yield Finding(row.label, "any instance; the service registers itself at each")
        return
    yield Finding(row.label, f"redirect address: {settings.base_url}/login/callback/{row.key}")
    if not row.openid:
        yield Finding("", "its addresses are known; no discovery needed")
        return
    try:
        from commentsvc.integrations.oauth.flow import Flow  # here, because few commands need it

        Flow().endpoints(row)
    except ProviderError as error:
        yield Finding("", f"discovery at {row.issuer}", str(error))
    else:
        yield Finding("", f"discovery at {row.issuer} answers")


def _name_the_others(settings: Settings) -> None:
    """List the providers that are not turned on, with the variables that turn them on."""
    present = {one.key for one in settings.providers}
    others = [row for row in catalogue.ROWS if row.key not in present and row.key != "mastodon"]
    if others:
        click.echo("\nNot turned on:")
    for row in others:
        name = f"{PREFIX}{row.key.upper()}"
        secret = f"{name}_CLIENT_SECRET" + (f" or {', '.join(APPLE_KEY)}" if row.key == "apple" else "")
        click.echo(f"  {row.label:<16} {name}_CLIENT_ID, {secret}")
    if not settings.mastodon:
        click.echo(f"  {'Mastodon':<16} {PREFIX}MASTODON=on")
