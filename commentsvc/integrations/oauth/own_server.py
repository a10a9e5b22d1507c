"""The addresses of an operator's own server, in place of a provider's well-known ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from commentsvc.config import PREFIX, ProviderSettings

ENDPOINTS = ("authorize_url", "token_url", "profile_url")
ADDRESSES = ("issuer", *ENDPOINTS)
"""Names of settings of a provider."""
_LOOPBACK = re.compile(r"localhost|.+\.localhost|127(\.\d+){3}|::1")


def is_safe(url: str) -> bool:
    """Whether codes and tokens travel to a URL encrypted, or stay on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.fragment or parts.username or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and bool(_LOOPBACK.fullmatch(host)))


def is_issuer(url: str) -> bool:
    """Whether a URL can be an issuer, which has no query."""
    return is_safe(url) and not urlsplit(url).query


def faults(settings: ProviderSettings, label: str, known_issuer: str) -> Iterator[str]:
    """Yield the faults in the addresses of a server that has no discovery.

    Accounts are identified by issuer and subject, so the own server must not share the issuer of the known one: its
    user 1 would be the other's user 1.
    """
    variable = f"{PREFIX}{settings.key.upper()}_"
    given = {name: value for name in ADDRESSES if (value := getattr(settings, name))}
    if not given:
        return
    if missing := [name.upper() for name in ADDRESSES if name not in given]:
        yield (
            f"{variable}{', '.join(missing)} must be set too: a {label} server of your own has "
            "ISSUER, AUTHORIZE_URL, TOKEN_URL and PROFILE_URL."
        )
    if given.get("issuer", "").rstrip("/") == known_issuer:
        yield f"{variable}ISSUER must be the address of your own server, not {known_issuer}."
    for name, value in given.items():
        if not is_safe(value) or (name == "issuer" and not is_issuer(value)):
            yield f"{variable}{name.upper()}: {value!r} must begin with https:// (http:// only on this machine)."


def unused(settings: ProviderSettings, label: str, names: Sequence[str]) -> Iterator[str]:
    """Yield a fault for each of these addresses that is set, although the provider does not use it."""
    for name in names:
        if getattr(settings, name):
            yield f"{PREFIX}{settings.key.upper()}_{name.upper()} is not used by {label}."


def mastodon_addresses(issuer: str) -> dict[str, str]:
    """Return the addresses of a Mastodon server."""
    server = issuer.rstrip("/")
    return {
        "issuer": server,
        "authorize_url": f"{server}/oauth/authorize",
        "token_url": f"{server}/oauth/token",
        "profile_url": f"{server}/api/v1/accounts/verify_credentials",
    }
