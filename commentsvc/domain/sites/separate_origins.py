"""No site shares an origin with the service: browsers do not protect pages of one origin from each other."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext
from commentsvc.origins import origin_of


def shared_origin_fault(origins: Iterable[str], base_url: str) -> str:
    """Return why none of a site's `origins` may be the service's, and the line that changes it; empty if none is."""
    shared = origin_of(base_url)
    if shared not in origins:
        return ""
    return gettext(
        "The pages at %(origin)s and the comment service would be one origin for browsers. "
        "Any script on these pages, also that of an ad, could then act as the reader and as you. "
        "Enter the address of your pages, or give the service a host of its own: %(setting)s"
    ) % {"origin": shared, "setting": f"COMMENTSVC_BASE_URL={_own_host(shared)}"}


def require_separate(origins: Iterable[str], base_url: str) -> None:
    """Raise InvalidFieldsError on `origins` if one of a site's origins is the service's."""
    if fault := shared_origin_fault(origins, base_url):
        raise InvalidFieldsError({"origins": fault})


def _own_host(origin: str) -> str:
    """Return an origin for the service beside this one: a subdomain, or another port of an IP address."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        name = "discussion" if host.startswith("comments.") else "comments"
        return f"{parts.scheme}://{name}.{parts.netloc.removeprefix('www.')}"
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{8601 if parts.port == 8600 else 8600}"
