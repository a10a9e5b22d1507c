"""Checks the websites: their addresses, and whether their readers come from as many networks as there are readers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.cli.checks.finding import Finding
from commentsvc.config import Settings
from commentsvc.domain.maintenance import reader_networks
from commentsvc.domain.sites import separate_origins
from commentsvc.errors import BadAddressError, OutboundError, RedirectedError
from commentsvc.http_client import client
from commentsvc.models import Site
from commentsvc.origins import origin_of

SECONDS = 5.0
_AT_ONCE = 8
_OPENED = 40
"""Addresses that are opened; the others are only listed."""


def readers(session: Session) -> Finding:
    """Check whether readers have networks of their own, or all share that of a CDN in front of the proxy."""
    lately = reader_networks.lately(session)
    people = "1 person" if lately.people == 1 else f"{lately.people} people"
    networks = "1 network" if lately.networks == 1 else f"{lately.networks} networks"
    state = f"{people} from {networks} wrote the latest comments"
    advice = (
        "Unless they share an office, a CDN or a proxy hides them: limits, bans and reports mix them up. "
        'See "Behind a CDN" in docs/serving.md.'
    )
    is_known = lately.people >= reader_networks.FEWEST_PEOPLE
    return Finding("Networks", state, advice if lately.are_few else "", is_known=is_known)


def findings(session: Session, settings: Settings) -> Iterator[Finding]:
    """Check each site, and open its addresses as a reader would."""
    sites = session.scalars(select(Site).order_by(Site.name)).all()
    if not sites:
        yield Finding("Sites", "none", '`commentsvc site add "My blog" https://blog.example` adds one.')
    origins = [origin.origin for site in sites for origin in site.origins]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        ends = dict(zip(origins, pool.map(_end_of, origins[:_OPENED]), strict=False))
    for site in sites:
        own = [origin.origin for origin in site.origins]
        mixed = not settings.secure and any(origin.startswith("https://") for origin in own)
        advice = "Its pages use https; browsers will not load comments into them over http."
        shared = separate_origins.shared_origin_fault(own, settings.base_url)
        yield Finding("Site", f"{site.name}: {', '.join(own)}", shared or (advice if mixed else ""))
        for origin in own:
            end = ends.get(origin)
            if end is None:
                yield Finding("", f"{origin} was not opened from here", is_known=False)
            elif end not in origins:
                yield _moved(origin, end, site.name)


def _moved(origin: str, end: str, name: str) -> Finding:
    advice = (
        f"Readers end up at {end}, which is no address of {name!r}, so they see no comments. "
        "Add it to the site's origins in the admin view, under Settings."
    )
    return Finding("", f"{origin} redirects to {end}", advice)


def _end_of(origin: str) -> str | None:
    """Return the origin where a reader who opens `origin` ends up; None if that cannot be told."""
    try:
        client.fetch(
            f"{origin}/",
            largest=1,
            seconds=SECONDS,
            accept=frozenset(),
            redirects=0,
            allow_private=True,
        )
    except RedirectedError as error:
        try:
            return origin_of(error.url)
        except BadAddressError:
            return None
    except OutboundError:
        return None
    return origin
