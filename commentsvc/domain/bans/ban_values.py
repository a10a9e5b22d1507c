"""Validates what moderators type to ban somebody and returns the form in which bans are stored.

Refuses values that could never match: a ban without effect is worse than none.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from contextlib import suppress
from urllib.parse import urlsplit

from commentsvc import host_names
from commentsvc.domain import fields
from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import BanKind
from commentsvc.setting_values import Network
from commentsvc.text.characters import without_undrawn

LONGEST = 300
ELSEWHERE = "elsewhere:"
"""Prefix of the hash of an author on a social network, stored where guests have the hash of a browser key."""
_HASH = re.compile(r"[0-9a-f]{64}")
_WITH_NAME = re.compile(r"(?:mailto:)?(?:[^<>]*<([^<>]*)>|([^<>?]*)(?:\?.*)?)", re.IGNORECASE)
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d{1,5})?|(\d+\.\d+\.\d+\.\d+):\d{1,5}")
_LEADING_ZERO = re.compile(r"(?:^|\.)0\d")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NOBODYS: tuple[Network, ...] = (
    *map(ipaddress.IPv4Network, ("0.0.0.0/8", "224.0.0.0/3")),
    *map(ipaddress.IPv6Network, ("::/96", "ff00::/8")),
)
"""Networks from which no request comes."""
_EXAMPLE = gettext_noop("Please enter an address such as 192.0.2.7 or a range such as 192.0.2.0/24")


def normal(kind: BanKind, value: str) -> str:
    """Return a typed value in the form in which bans are stored; raises InvalidFieldsError on `value`.

    A network may also be the hash from a comment, which is stored as it is.
    """
    typed = _cleaned(value)
    if not typed or len(typed) > LONGEST:
        raise _fault(gettext("Please enter whom or what to ban"))
    if kind is BanKind.EMAIL:
        return _typed_email(typed)
    if kind is BanKind.DOMAIN:
        return _typed_domain(typed)
    if kind is BanKind.NETWORK and not _HASH.fullmatch(typed):
        return _typed_network(typed)
    return typed


def email(address: str) -> str:
    """Return an e-mail address in the form that bans compare: in lower case, its domain as in DNS."""
    local, _, domain = unicodedata.normalize("NFKC", address).strip().rpartition("@")
    with suppress(ValueError):  # what an earlier release or an import took for a domain
        domain = host_names.in_ascii(domain)
    return f"{local.casefold()}@{domain.lower()}"


def domain(host: str) -> str:
    """Return the part of a host that is banned: without a leading `www`, which belongs to the same site."""
    bare = host.removeprefix("www.")
    return bare if "." in bare else host


def _cleaned(value: str) -> str:
    """Remove invisible characters, such as come with copied text, and make wide letters plain ones."""
    return without_undrawn(unicodedata.normalize("NFKC", value.replace("\0", ""))).strip()


def _typed_email(typed: str) -> str:
    match = _WITH_NAME.fullmatch(typed)
    bare = ((match[1] or match[2] or "") if match else typed).strip()
    try:
        return email(fields.email(bare.removesuffix(".")))
    except InvalidFieldsError as error:
        raise _fault(next(iter(error.fields.values()))) from None


def _typed_domain(typed: str) -> str:
    bare = _SCHEME.sub("", typed, count=1).removeprefix("*").lstrip("./").replace("\u3002", ".")
    try:
        host = host_names.in_ascii(urlsplit(fields.website(f"https://{bare}")).hostname or "")
    except InvalidFieldsError:
        host = ""
    if not host:
        raise _fault(gettext("Please enter a domain such as spam.example"))
    return domain(host)


def _typed_network(typed: str) -> str:
    bare, slash, size = "".join(typed.split()).partition("/")
    if port := _WITH_PORT.fullmatch(bare):
        bare = port[1] or port[2] or ""
    bare = bare.partition("%")[0]  # a zone has a meaning on one machine only
    try:
        network = ipaddress.ip_network(bare + slash + size, strict=False)
    except ValueError:
        if _LEADING_ZERO.search(bare.rpartition(":")[2]):
            raise _fault(gettext("Please write the address without leading zeros")) from None
        raise _fault(gettext(_EXAMPLE)) from None
    network = _as_it_comes(network)
    if not _has_anybody(network):
        raise _fault(
            gettext("No visitor comes from this address or range, so banning it would have no effect")
        )
    return str(network)


def _as_it_comes(network: Network) -> Network:
    """Return an IPv4 range written inside IPv6 as IPv4, because visitors' addresses are stored that way."""
    if isinstance(network, ipaddress.IPv4Network) or not network.overlaps(_MAPPED):
        return network
    if network.prefixlen < _MAPPED.prefixlen:
        raise _fault(gettext("This range is too wide: it would ban a great many people"))
    inside = int(network.network_address) & 0xFFFFFFFF
    return ipaddress.IPv4Network((inside, network.prefixlen - _MAPPED.prefixlen))


def _has_anybody(network: Network) -> bool:
    if network.is_loopback:
        return True
    return not any(_lies_in(network, nobodys) for nobodys in _NOBODYS)


def _lies_in(network: Network, other: Network) -> bool:
    same = network.version == other.version
    return same and network.prefixlen >= other.prefixlen and network.network_address in other


def _fault(sentence: str) -> InvalidFieldsError:
    return InvalidFieldsError({"value": sentence})
