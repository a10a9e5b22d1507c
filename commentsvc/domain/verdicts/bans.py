"""Bans: whether somebody's comments are wanted at all on a site."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from commentsvc.domain import fields
from commentsvc.domain.addresses import host_in_ascii
from commentsvc.errors import BannedError, InvalidFieldsError
from commentsvc.models import Ban, BanKind
from commentsvc.origins import HOST_LONGEST

MOST_HOSTS = 50
"""Of a comment's links; a comment with more of them is looked at for its links alone."""


@dataclass(frozen=True)
class Sender:
    """All by which a ban may know somebody, as far as it is there."""

    commenter_id: int | None = None
    author_key_hash: str | None = None
    email: str | None = None
    network_hash: str | None = None
    address: str | None = None
    """The client's own; it is compared and never stored."""
    hosts: tuple[str, ...] = ()
    """Of the website and of every link."""


def find_matching(session: Session, site_id: int, sender: Sender, *, at: datetime) -> Ban | None:
    """Return the ban that holds for `sender`, the longest of several; None where there is none."""
    values: dict[BanKind, list[str]] = {
        BanKind.PERSON: [str(sender.commenter_id)] if sender.commenter_id is not None else [],
        BanKind.AUTHOR: [sender.author_key_hash] if sender.author_key_hash else [],
        BanKind.EMAIL: [sender.email.casefold()] if sender.email else [],
        BanKind.NETWORK: [*filter(None, [sender.network_hash]), *_ranges(sender.address)],
        BanKind.DOMAIN: sorted({part for host in sender.hosts[:MOST_HOSTS] for part in _domains(host)}),
    }
    sought = [and_(Ban.kind == kind, Ban.value.in_(its)) for kind, its in values.items() if its]
    if not sought:
        return None
    query = select(Ban).where(Ban.site_id == site_id, or_(Ban.until.is_(None), Ban.until > at), or_(*sought))
    found = session.scalars(query).all()
    return max(found, key=lambda ban: (ban.until is None, ban.until or at), default=None)


def are_on(site_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Say in a query whether a site has any bans."""
    return exists().where(Ban.site_id == site_id)


def require_welcome(session: Session, site_id: int, sender: Sender, *, at: datetime) -> None:
    """Raise BannedError where the site does not want this comment."""
    ban = find_matching(session, site_id, sender, at=at)
    if ban is not None:
        raise BannedError(sentence(ban))


def sentence(ban: Ban) -> str:
    """Say what a ban means to whom it meets; who decided, and why, stays with the moderators."""
    until = f" until {ban.until:%-d %B %Y, %H:%M} UTC" if ban.until else ""
    if ban.kind is BanKind.DOMAIN:
        return f"This site does not take comments with links to {ban.value}{until}."
    return f"You cannot comment on this site{until}."


def normal(kind: BanKind, value: str) -> str:
    """Return a typed value in the form in which bans are stored and found; raises InvalidFieldsError on `value`.

    A network may also be the hash that a comment carries, which is taken as it is.
    """
    value = value.strip()
    if kind is BanKind.EMAIL:
        return fields.email(value).casefold()
    if kind is BanKind.DOMAIN:
        return _domain(value)
    if kind is BanKind.NETWORK and ("." in value or ":" in value):
        return _network(value)
    if not value or len(value) > 300:
        raise InvalidFieldsError({"value": "Please say whom or what this is about"})
    return value


def hosts_of(urls: Iterable[str | None]) -> tuple[str, ...]:
    """Return the hosts of some addresses as DNS has them, each once, in their order."""
    found: dict[str, None] = {}
    for url in urls:
        try:
            host = urlsplit(url or "").hostname
        except ValueError:
            continue
        if host:
            found[host_in_ascii(host)] = None
    return tuple(found)


def _domain(value: str) -> str:
    try:
        host = hosts_of([fields.website(value)])
    except InvalidFieldsError:
        host = ()
    if not host or len(host[0]) > HOST_LONGEST:
        raise InvalidFieldsError({"value": "Please enter a domain such as spam.example"})
    return host[0].removeprefix("www.")


def _network(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        message = "Please enter an address such as 192.0.2.7 or a range such as 192.0.2.0/24"
        raise InvalidFieldsError({"value": message}) from None
    return str(network)


def _ranges(address: str | None) -> list[str]:
    """Return every range an address is in, so that the database finds its ban by comparing for equality."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return []
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return [str(ipaddress.ip_network((ip, size), strict=False)) for size in range(ip.max_prefixlen + 1)]


def _domains(host: str) -> Iterator[str]:
    """Yield a host and the domains it is in: a.b.example, b.example, example."""
    parts = host.split(".")[-10:]
    for at in range(len(parts)):
        yield ".".join(parts[at:])
