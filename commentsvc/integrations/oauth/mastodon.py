"""Mastodon: every instance is a provider of its own, and a stranger types its address.

So all requests go through the guarded client: https only, no private addresses, small responses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from commentsvc import host_names, strict_json
from commentsvc.errors import OutboundError, ProviderError, ProviderUnavailableError
from commentsvc.http_client import client
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.messages import gettext

_LARGEST = 256 * 1024
_LONGEST = 300
_SECONDS = 8.0
_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}")


def host_of(typed: str) -> str:
    """Return the host of an instance from a typed name, URL or handle; raises ProviderError."""
    text = typed.strip().lower()
    text = re.sub(r"^https?://", "", text).partition("/")[0].rpartition("@")[2].rstrip(".")
    try:
        host = host_names.in_ascii(text)
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host):
        raise ProviderError(
            gettext("Please enter the name of your Mastodon server, such as mastodon.social.")
        )
    return host


def register(host: str, redirect_uri: str, *, name: str, website: str) -> tuple[str, str]:
    """Register this service at an instance; return its client id and secret. Raises ProviderError."""
    fields = {"client_name": name, "redirect_uris": redirect_uri, "scopes": "profile", "website": website}
    application = _ask(host, "/api/v1/apps", fields=fields)
    client_id, secret = application.get("client_id"), application.get("client_secret")
    if not _can_be_kept(client_id) or not _can_be_kept(secret):
        raise ProviderError(_not_mastodon(host))
    return str(client_id), str(secret)


def provider_at(row: Provider, host: str, client_id: str, client_secret: str) -> Provider:
    """Return the provider's row for one instance."""
    return replace(
        row,
        label=host,
        issuer=f"https://{host}",
        authorize_url=f"https://{host}/oauth/authorize",
        token_url=f"https://{host}/oauth/token",
        profile_url=f"https://{host}/api/v1/accounts/verify_credentials",
        client_id=client_id,
        client_secret=client_secret,
    )


def claims(provider: Provider, redirect_uri: str, code: str, verifier: str) -> Mapping[str, Any]:
    """Exchange a code and return the claims of its account; raises ProviderError."""
    host = provider.label
    token = _ask(
        host,
        "/oauth/token",
        fields={
            "grant_type": "authorization_code",
            "code": code,
            "client_id": provider.client_id,
            "client_secret": provider.client_secret,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        },
    ).get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise ProviderError(_not_accepted(host))
    return _ask(host, "/api/v1/accounts/verify_credentials", headers={"Authorization": f"Bearer {token}"})


def _can_be_kept(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable()


def _ask(
    host: str, path: str, *, fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    try:
        answer = client.fetch(
            f"https://{host}{path}",
            method="POST" if fields else "GET",
            headers={
                "Accept": "application/json",
                **({"Content-Type": "application/x-www-form-urlencoded"} if fields else {}),
                **(headers or {}),
            },
            data=urlencode(fields).encode() if fields else None,
            largest=_LARGEST,
            seconds=_SECONDS,
            accept=frozenset({"application/json"}),
            redirects=0,
        )
        document = strict_json.read_object(answer.body)
    except OutboundError as error:
        raise ProviderUnavailableError(
            gettext("%(host)s cannot be reached right now, or is not a Mastodon server.") % {"host": host}
        ) from error
    except ValueError as error:
        raise ProviderError(_not_mastodon(host)) from error
    if answer.status != 200:
        raise ProviderError(_not_accepted(host))
    return document


def _not_mastodon(host: str) -> str:
    return gettext("%(host)s does not answer like a Mastodon server.") % {"host": host}


def _not_accepted(host: str) -> str:
    return gettext("%(provider)s did not accept this login. Please try again.") % {"provider": host}
