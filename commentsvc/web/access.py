"""Identifies clients: networks, addresses behind proxies, and the signed tokens of forms."""

from __future__ import annotations

import ipaddress
import logging
import re
import time
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Flask, g, request

from commentsvc.config import Settings
from commentsvc.domain.authors import Author
from commentsvc.domain.bans import bans
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import StaleFormError
from commentsvc.integrations import signing
from commentsvc.peer_addresses import LOOPBACK, is_trusted, parsed
from commentsvc.setting_values import Network
from commentsvc.web.context import hash_key, now, settings

log = logging.getLogger(__name__)

FORM_LIFE = 48 * 3600
"""How long a page's form can be sent, in seconds."""
_EVER = 100 * 365 * 24 * 3600
# Marks the token of a form that expired and was shown again: its author was not "too fast".
_AGAIN = "again "
_FORM = re.compile(r"(?P<again>again )?(?:as (?P<mark>[0-9a-f]+) )?(?P<form>.*)", re.DOTALL)
AUTHOR_KEY_LONGEST = 200
_CLIENT = "commentsvc.client"


@dataclass(frozen=True, slots=True)
class ShownForm:
    """The contents of a form's token: when this service first showed the form, and to whom."""

    seconds: float
    """Time since then."""
    mark: str
    """The mark of the person it was filled in as; empty for a guest."""
    again: bool
    """Whether it was shown again because it had expired."""


def form_token(address: ThreadAddress, *, mark: str = "", again: bool = False) -> str:
    """Return the token of a thread's form: when it was shown, and to whom; `again` as in ShownForm."""
    text = f"{_AGAIN if again else ''}{f'as {mark} ' if mark else ''}{_form_of(address)}"
    g.form_token = signing.sign(settings().secret_key, "form", text)
    return str(g.form_token)


def token_shown() -> bytes:
    """Return the form token in this request's response; empty for none."""
    return str(g.get("form_token", "")).encode()


def shown_form(token: str, address: ThreadAddress) -> ShownForm | None:
    """Return the contents of a form's token; None if the token is not for this form."""
    signed = signing.unsign(settings().secret_key, "form", token, max_age=_EVER)
    parts = _FORM.fullmatch(signed[0]) if signed else None
    if signed is None or parts is None or parts["form"] != _form_of(address):
        return None
    return ShownForm(max(0.0, time.time() - signed[1]), parts["mark"] or "", bool(parts["again"]))


def seconds_on_form(shown: ShownForm | None) -> float:
    """Return the time since the form was first shown; raises StaleFormError if it expired or is not ours."""
    if shown is None:
        raise StaleFormError
    if shown.seconds > FORM_LIFE:
        raise StaleFormError(genuine=True)
    return shown.seconds + FORM_LIFE if shown.again else shown.seconds


def author_key_hash(key: str | None) -> str | None:
    """Return the hash of the random key by which a browser recognises its own comments."""
    if not key or not 20 <= len(key) <= AUTHOR_KEY_LONGEST:
        return None
    return signing.keyed_hash(hash_key(), "author", key)


def network() -> str:
    """Return the client's network: IPv4 /24, IPv6 /48."""
    return _client().network


def init_app(app: Flask, settings: Settings) -> None:
    """Have each process say once in the log that a proxy is not trusted."""
    app.before_request(UntrustedProxyWarning(settings.trusted_proxies))


class UntrustedProxyWarning:
    """Logs the first request with `X-Forwarded-For` from an untrusted peer."""

    def __init__(self, trusted: tuple[Network, ...]) -> None:
        self._trusted = trusted
        self._told = False

    def __call__(self) -> None:
        """Look at the current request."""
        if self._told or not is_forwarded() or is_trusted(_peer(), self._trusted):
            return
        self._told = True
        ip = parsed(_peer())
        # The log has no address of a reader; a private one is that of a proxy.
        peer = str(ip) if ip and (ip.is_private or ip.is_loopback) else "a public address"
        log.warning(
            "X-Forwarded-For from %s is not believed, so its readers count as one network. "
            "If that is your proxy, set COMMENTSVC_TRUSTED_PROXIES to its address and restart.",
            peer,
        )


def is_forwarded() -> bool:
    """Whether this request has `X-Forwarded-For`, true or not."""
    return "HTTP_X_FORWARDED_FOR" in request.environ


def is_from_proxy() -> bool:
    """Whether this request came from an address in `trusted_proxies`."""
    return is_trusted(_peer(), settings().trusted_proxies)


def with_network(author: Author, *, at: datetime) -> Author:
    """Return an author with the network and address of this request, which is sent at `at`."""
    return replace(
        author,
        network_hash=network_hash(bans.month_of(at)),
        network_hash_in=network_hash,
        client_ip=_client().ip,
    )


def network_hash(month: str | None = None) -> str:
    """Return the network as a keyed hash, for a month such as 2026-11 or the current one."""
    return signing.keyed_hash(hash_key(), f"network {month or bans.month_of(now())}", network())


def client_address(peer: str, forwarded: list[str], trusted: tuple[Network, ...]) -> str:
    """Return the client's address: walking back from the peer, the first that is not a trusted proxy."""
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    address = peer
    while hops and is_trusted(address, trusted):
        address = hops.pop()
    return address


@dataclass(frozen=True, slots=True)
class _Client:
    ip: str | None
    network: str


def _peer() -> str:
    """Return the address of who connected to us; through a unix socket, which has none, it is this machine."""
    return request.remote_addr or LOOPBACK


def _client() -> _Client:
    if _CLIENT not in request.environ:  # a post needs it three times
        forwarded = request.headers.get("X-Forwarded-For")  # several headers are joined
        hops = [forwarded] if forwarded else []
        ip = parsed(client_address(_peer(), hops, settings().trusted_proxies))
        request.environ[_CLIENT] = _Client(str(ip) if ip else None, _network_of(ip))
    client: _Client = request.environ[_CLIENT]
    return client


def _network_of(ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> str:
    if ip is None:
        return "unknown"
    kept = 24 if ip.version == 4 else 48
    gone = ip.max_prefixlen - kept
    return f"{type(ip)(int(ip) >> gone << gone)}/{kept}"


def _form_of(address: ThreadAddress) -> str:
    return f"{address.site.id} {address.key}"
