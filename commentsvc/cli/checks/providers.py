"""Checks the login providers: their discovery, our id and secret there, and the redirect address."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import click

from commentsvc.cli.checks import reachability
from commentsvc.cli.checks.finding import Finding
from commentsvc.config import APPLE_KEY, PREFIX, Settings
from commentsvc.errors import ProviderError
from commentsvc.integrations.oauth import catalogue
from commentsvc.integrations.oauth.catalogue import Provider


def findings(settings: Settings, dates: dict[str, str]) -> Iterator[Finding]:
    """Check each provider that is turned on; adds the `Date` headers of their answers to `dates`."""
    for row in catalogue.offered(settings):
        yield from _provider(row, settings, dates)


def name_the_others(settings: Settings) -> None:
    """List the providers that are not turned on, with the variables that turn them on."""
    present = {one.key for one in settings.providers}
    others = [row for row in catalogue.ROWS if row.key not in present and row.key != "mastodon"]
    if others:
        click.echo("\nNot turned on:")
    for row in others:
        name = f"{PREFIX}{row.key.upper()}"
        secret = f"{name}_CLIENT_SECRET" + (f" or {', '.join(APPLE_KEY)}" if row.key == "apple" else "")
        click.echo(f"  {row.label:<16} {name}_CLIENT_ID, {secret}")
    if not settings.mastodon and "mastodon" not in present:
        click.echo(f"  {'Mastodon':<16} {PREFIX}MASTODON=on")


def _provider(row: Provider, settings: Settings, dates: dict[str, str]) -> Iterator[Finding]:
    if row.asks_server:
        yield Finding(row.label, "any instance; the service registers itself at each")
        return
    redirect_uri = f"{settings.base_url}/login/callback/{row.key}"
    yield Finding(row.label, f"redirect address: {redirect_uri}", _unusable(settings))
    for name, path in row.notices.items():
        yield Finding("", f"{name} address: {settings.base_url}{path}")
    from commentsvc.integrations.oauth import registration  # here, because few commands need it
    from commentsvc.integrations.oauth.flow import Flow

    flow = Flow()
    try:
        endpoints = flow.endpoints(row)
        result = registration.ask(row, redirect_uri, flow)
    except ProviderError as error:
        where = f"discovery at {row.issuer}" if row.openid else "no answer"
        yield Finding("", where, str(error))
        return
    if row.openid:
        yield Finding("", f"discovery at {endpoints.issuer} answers")
    if result.date:
        dates[row.label] = result.date
    yield _client(row, result.client, result.said)
    yield _address(row, result.address, redirect_uri)


def _unusable(settings: Settings) -> str:
    """Return why providers refuse the redirect address whatever is entered there."""
    host = urlsplit(settings.base_url).hostname or ""
    if settings.secure or host in reachability.LOOPBACK:
        return ""
    return "Providers accept only redirect addresses with https."


def _client(row: Provider, verdict: str, said: str) -> Finding:
    if verdict == "accepted":
        return Finding("", "accepts the client id and secret")
    if verdict == "unknown":
        return Finding("", "does not tell whether the client id and secret are right", is_known=False)
    name = f"{PREFIX}{row.key.upper()}"
    return Finding(
        "",
        f"refuses the client id or secret ({said})",
        f"Copy {name}_CLIENT_ID and {name}_CLIENT_SECRET again from the provider's page, and restart the service.",
    )


def _address(row: Provider, verdict: str, redirect_uri: str) -> Finding:
    if verdict == "accepted":
        return Finding("", "knows the redirect address")
    if verdict == "unknown":
        return Finding("", "does not tell whether it knows the redirect address", is_known=False)
    return Finding(
        "", "refuses the redirect address", f"Enter {redirect_uri} at {row.label}, exactly as it is here."
    )
