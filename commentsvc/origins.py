"""Origins, scheme://host[:port], in the form that browsers send as `Origin`."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from commentsvc import host_names
from commentsvc.errors import BadAddressError

LONGEST = 2000
REMEMBERED = 512
"""Size of the caches of addresses, each up to `LONGEST`; every comment repeats its article's address."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


@lru_cache(REMEMBERED)
def origin_of(url: str) -> str:
    """Return the origin of a page's URL; raises BadAddressError for anything else."""
    # U+FFFD stands for bytes that could not be decoded.
    if len(url) > LONGEST or not host_names.is_visible(url) or set(url) & set(" \\\ufffd"):
        raise BadAddressError(f"{url[:80]!r} is not the address of a web page.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = host_names.in_ascii(parts.hostname or "")
    except ValueError:
        raise BadAddressError(f"{url[:80]!r} is not the address of a web page.") from None
    if (
        parts.scheme not in _DEFAULT_PORTS
        or port == 0
        or len(host) > host_names.HOST_LONGEST
        or not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host)
        or "@" in parts.netloc
    ):
        raise BadAddressError(f"{url[:80]!r} is not the address of a web page.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")
