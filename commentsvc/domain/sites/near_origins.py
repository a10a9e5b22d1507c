"""Origins that differ from a page's own by what is easily overlooked: the scheme, `www`, the port, a preview's name."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.models import Origin

_OTHER = {"http": "https", "https": "http"}
_WWW = "www."


def registered(session: Session, origin: str) -> Sequence[str]:
    """Return the registered origins that are near to an origin, in the order of `variants`.

    Everybody can learn the same by asking for a thread of each, so nothing is given away.
    """
    near = variants(origin)
    known = set(session.scalars(select(Origin.origin).where(Origin.origin.in_(near))))
    return [one for one in near if one in known]


def variants(origin: str) -> list[str]:
    """Return the origins that are near to one, which `origin_of` has returned, itself left out."""
    scheme, _, place = origin.partition("://")
    host, port = _host_and_port(place)
    hosts = [host, host.removeprefix(_WWW) if host.startswith(_WWW) else f"{_WWW}{host}"]
    if parent := host.partition(".")[2]:  # a preview beside the website, such as branch.blog.example
        hosts += [parent, f"{_WWW}{parent}"]
    ports = [port, ""] if port else [""]
    near = [
        f"{one}://{name}{number}" for name in hosts for number in ports for one in (scheme, _OTHER[scheme])
    ]
    return [one for one in dict.fromkeys(near) if one != origin]


def _host_and_port(place: str) -> tuple[str, str]:
    host, colon, port = place.rpartition(":")
    return (host, f":{port}") if colon and port.isdigit() and not place.endswith("]") else (place, "")
