"""Finds the ban that stops an author from commenting on a site."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sqlalchemy import BindParameter, ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from commentsvc import host_names
from commentsvc.domain.authors import Author
from commentsvc.domain.bans import ban_values
from commentsvc.domain.bans.ban_values import normal
from commentsvc.errors import BannedError
from commentsvc.messages import gettext
from commentsvc.models import Ban, BanKind
from commentsvc.text import dates

__all__ = [
    "MOST_HOSTS",
    "MOST_MONTHS",
    "find_matching",
    "has_bans",
    "hosts_of",
    "month_of",
    "normal",
    "require_not_banned",
    "sentence",
]

MOST_HOSTS = 50
"""Hosts of a comment's links that are compared with bans; the rest is ignored."""
MOST_MONTHS = 120
"""Months, the latest first, for which an author's network is hashed to find older bans."""


def find_matching(
    session: Session, site_id: int, author: Author, *, hosts: Sequence[str] = (), at: datetime
) -> Ban | None:
    """Return the ban that applies to `author`, of several the longest; None if there is none.

    `hosts` are the hosts of their website and of every link in the comment.
    """
    email = author.guest.email
    values: dict[BanKind, list[str]] = {
        BanKind.PERSON: [str(author.commenter_id)] if author.commenter_id is not None else [],
        BanKind.AUTHOR: [author.author_key_hash] if author.author_key_hash else [],
        BanKind.EMAIL: [ban_values.email(email)] if email else [],
        BanKind.NETWORK: [*_network_hashes(session, site_id, author, at), *_ranges(author.client_ip)],
        BanKind.DOMAIN: sorted({part for host in hosts[:MOST_HOSTS] for part in _domains(host)}),
    }
    sought = [and_(Ban.kind == kind, Ban.value.in_(its)) for kind, its in values.items() if its]
    if not sought:
        return None
    query = select(Ban).where(Ban.site_id == site_id, _holds(at), or_(*sought))
    matching = session.scalars(query).all()
    return max(matching, key=lambda ban: (ban.until is None, ban.until or at), default=None)


def month_of(at: datetime) -> str:
    """Return the month of a network's hash, such as 2026-11, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m}"


def has_bans(site_id: int | BindParameter[int]) -> ColumnElement[bool]:
    """Return an SQL condition: whether a site has any bans."""
    return exists().where(Ban.site_id == site_id)


def require_not_banned(
    session: Session, site_id: int, author: Author, *, hosts: Sequence[str] = (), at: datetime
) -> None:
    """Raise BannedError if a ban applies to this comment."""
    ban = find_matching(session, site_id, author, hosts=hosts, at=at)
    if ban is not None:
        raise BannedError(sentence(ban))


def sentence(ban: Ban) -> str:
    """Return what to tell a banned author; who banned them, and why, is for moderators only."""
    facts = {"domain": ban.value, "time": dates.exact(ban.until) if ban.until else ""}
    if ban.kind is BanKind.DOMAIN and ban.until:
        text = gettext("This site does not take comments with links to %(domain)s until %(time)s.")
    elif ban.kind is BanKind.DOMAIN:
        text = gettext("This site does not take comments with links to %(domain)s.")
    elif ban.until:
        text = gettext("You cannot comment on this site until %(time)s.")
    else:
        text = gettext("You cannot comment on this site.")
    return text % facts


def hosts_of(urls: Iterable[str | None]) -> tuple[str, ...]:
    """Return the hosts of some URLs as in DNS, each once, in order."""
    hosts: dict[str, None] = {}
    for url in urls:
        try:
            host = host_names.in_ascii(urlsplit(url or "").hostname or "")
        except ValueError:
            continue
        if host:
            hosts[host] = None
    return tuple(hosts)


def _network_hashes(session: Session, site_id: int, author: Author, at: datetime) -> list[str]:
    """Return the hashes of an author's network for this month and for those in which networks were banned here."""
    known = [author.network_hash] if author.network_hash else []
    if author.network_hash_in is None:
        return known
    query = (
        select(Ban.month)
        .where(Ban.site_id == site_id, Ban.kind == BanKind.NETWORK, Ban.month.is_not(None), _holds(at))
        .distinct()
        .order_by(Ban.month.desc())
        .limit(MOST_MONTHS)
    )
    months = [month for month in session.scalars(query) if month]
    return list(dict.fromkeys([*known, *map(author.network_hash_in, months)]))


def _holds(at: datetime) -> ColumnElement[bool]:
    return or_(Ban.until.is_(None), Ban.until > at)


def _ranges(address: str | None) -> list[str]:
    """Return every range that contains an address, so that the database can find its ban by equality."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return []
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return [str(ipaddress.ip_network((ip, size), strict=False)) for size in range(ip.max_prefixlen + 1)]


def _domains(host: str) -> Iterator[str]:
    """Yield a host and its parent domains: a.b.example, b.example, example."""
    parts = host.split(".")[-10:]
    for at in range(len(parts)):
        yield ".".join(parts[at:])
