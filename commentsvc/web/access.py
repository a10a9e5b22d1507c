"""Who is asking and from where: networks, addresses behind proxies, and the signed tokens of forms."""

from __future__ import annotations

import ipaddress
import re
import time
from dataclasses import dataclass

from flask import g, request

from commentsvc.domain.bans import bans
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import StaleFormError
from commentsvc.integrations import signing
from commentsvc.setting_values import Network
from commentsvc.web.context import hash_key, now, settings

FORM_LIFE = 48 * 3600
"""Seconds for which a page's form may be sent."""
_EVER = 100 * 365 * 24 * 3600
# Whoever sends a form again because it had grown too old has not been quick.
_AGAIN = "again "
_FORM = re.compile(r"(?P<again>again )?(?:as (?P<mark>[0-9a-f]+) )?(?P<form>.*)", re.DOTALL)
AUTHOR_KEY_LONGEST = 200
_CLIENT = "commentsvc.client"


@dataclass(frozen=True, slots=True)
class ShownForm:
    """What a form's token says: when this service showed the form first, and to whom."""

    seconds: float
    """How long ago."""
    mark: str
    """Of the person it was filled in as; empty for a guest."""
    again: bool
    """It was shown once more because it had grown too old."""


def form_token(address: ThreadAddress, *, mark: str = "", again: bool = False) -> str:
    """Return a token that says this service showed this thread's form, when, and to whom; `again` as in ShownForm."""
    text = f"{_AGAIN if again else ''}{f'as {mark} ' if mark else ''}{_form_of(address)}"
    g.form_token = signing.sign(settings().secret_key, "form", text)
    return str(g.form_token)


def token_shown() -> bytes:
    """Return the form token that this request's answer carries, as it stands in there; empty for none."""
    return str(g.get("form_token", "")).encode()


def shown_form(token: str, address: ThreadAddress) -> ShownForm | None:
    """Return what a form's token says; None for a token that is not this form's."""
    result = signing.unsign(settings().secret_key, "form", token, max_age=_EVER)
    parts = _FORM.fullmatch(result[0]) if result else None
    if result is None or parts is None or parts["form"] != _form_of(address):
        return None
    return ShownForm(max(0.0, time.time() - result[1]), parts["mark"] or "", bool(parts["again"]))


def seconds_on_form(shown: ShownForm | None) -> float:
    """Return how long ago the form was shown first; raises StaleFormError for one too old or not ours."""
    if shown is None:
        raise StaleFormError
    if shown.seconds > FORM_LIFE:
        raise StaleFormError(genuine=True)
    return shown.seconds + FORM_LIFE if shown.again else shown.seconds


def receipt(comment_id: int) -> str:
    """Return a token with which its author sees a held comment."""
    return signing.sign(settings().secret_key, "receipt", str(comment_id))


def comment_of(receipt: str) -> int | None:
    """Return the comment a receipt is for; None for one not ours or older than a day."""
    result = signing.unsign(settings().secret_key, "receipt", receipt, max_age=24 * 3600)
    return int(result[0]) if result else None


def author_key_hash(key: str | None) -> str | None:
    """Return the hash of the random key by which one browser knows its own comments again."""
    if not key or not 20 <= len(key) <= AUTHOR_KEY_LONGEST:
        return None
    return signing.keyed_hash(hash_key(), "author", key)


def network() -> str:
    """Return the network of whoever sent this request: IPv4 /24, IPv6 /48."""
    return _client().network


def client_ip() -> str | None:
    """Return the address of whoever sent this request, to be compared and forgotten; None where it is unclear."""
    return _client().ip


def network_hash(month: str | None = None) -> str:
    """Return the network as a keyed hash, to be compared with others of a month such as 2026-11, or of this one."""
    return signing.keyed_hash(hash_key(), f"network {month or bans.month_of(now())}", network())


def client_address(peer: str, forwarded: list[str], trusted: tuple[Network, ...]) -> str:
    """Return the client's address: the nearest one, walking back from the peer, that is no proxy of ours."""
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    address = peer
    while hops and _is_trusted(address, trusted):
        address = hops.pop()
    return address


def _is_trusted(address: str, trusted: tuple[Network, ...]) -> bool:
    ip = _ip(address)
    return ip is not None and any(ip in network for network in trusted)


@dataclass(frozen=True, slots=True)
class _Client:
    ip: str | None
    network: str


def _client() -> _Client:
    if _CLIENT not in request.environ:  # a post asks for it three times
        forwarded = request.headers.get("X-Forwarded-For")  # several come as one
        hops = [forwarded] if forwarded else []
        ip = _ip(client_address(request.remote_addr or "", hops, settings().trusted_proxies))
        request.environ[_CLIENT] = _Client(str(ip) if ip else None, _network_of(ip))
    result: _Client = request.environ[_CLIENT]
    return result


def _network_of(ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> str:
    if ip is None:
        return "unknown"
    kept = 24 if ip.version == 4 else 48
    gone = ip.max_prefixlen - kept
    return f"{type(ip)(int(ip) >> gone << gone)}/{kept}"


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address as proxies and sockets write it: with a port, in brackets, IPv4 inside IPv6."""
    bare = re.sub(r"^\[([^\]]*)\](:\d+)?$|^(\d+\.\d+\.\d+\.\d+):\d+$", r"\1\3", text).partition("%")[0]
    try:
        ip = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, ipaddress.IPv6Address) else ip


def _form_of(address: ThreadAddress) -> str:
    return f"{address.site.id} {address.key}"
