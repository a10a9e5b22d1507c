"""Reads a site's own list of its pages: an XML sitemap, an index of them, or a text with an address on each line."""

from __future__ import annotations

import gzip
import io
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from commentsvc.domain.transfer import xml_records
from commentsvc.errors import OutboundError, TransferError
from commentsvc.http_client.client import INTERNET, Network, fetch
from commentsvc.origins import origin_of

SITEMAPS_MOST = 200
SIZE_MOST = 50 << 20
"""Bytes of one sitemap, unpacked: the limit of the sitemaps' own protocol."""
_SECONDS = 30
_TYPES = frozenset({"application/", "text/"})
_PREFIXES = {"http://www.sitemaps.org/schemas/sitemap/0.9": "", "": ""}
_GZIP = b"\x1f\x8b"


def addresses(source: str, *, network: Network = INTERNET) -> set[str]:
    """Return the addresses in the sitemap at a URL or in a file; raises TransferError.

    The sitemaps that an index names are requested only from the index's own origin.
    """
    if source.startswith(("http://", "https://")):
        origin = origin_of(source)
        return _all(source, lambda url: _fetched(url, origin, network))
    return _all(source, lambda path: Path(path).read_bytes())


def _all(first: str, read: Callable[[str], bytes]) -> set[str]:
    pages: set[str] = set()
    waiting, known = deque([first]), {first}
    while waiting:
        name = waiting.popleft()
        for kind, address in _entries(name, _unpacked(name, read(name))):
            if kind == "page":
                pages.add(address)
            elif address not in known:
                known.add(address)
                waiting.append(address)
        if len(known) > SITEMAPS_MOST:
            raise TransferError(f"{first} names more than {SITEMAPS_MOST} other sitemaps.")
    if not pages:
        raise TransferError(f"{first} lists no addresses, so it is not a sitemap.")
    return pages


def _entries(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Yield ("page", address) and ("sitemap", address)."""
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        for line in content.decode("utf-8-sig", "replace").split():
            if line.startswith(("http://", "https://", "/")):
                yield "page", line
        return
    for record in xml_records.records(
        io.BytesIO(content), prefixes=_PREFIXES, on_root=_require_sitemap(name)
    ):
        kind = {"url": "page", "sitemap": "sitemap"}.get(record.name)
        if kind and record.text("loc"):
            yield kind, record.text("loc")


def _require_sitemap(name: str) -> Callable[[str], None]:
    def check(root: str) -> None:
        if root not in {"urlset", "sitemapindex"}:
            raise TransferError(f"{name} is not a sitemap: it begins with <{root[:40]}>.")

    return check


def _unpacked(name: str, content: bytes) -> bytes:
    if not content.startswith(_GZIP):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(SIZE_MOST + 1)
    except (OSError, EOFError, zlib.error):
        raise TransferError(f"{name}: the compressed file is damaged.") from None
    if len(unpacked) > SIZE_MOST:
        raise TransferError(f"{name} is larger than a sitemap can be.")
    return unpacked


def _fetched(url: str, origin: str, network: Network) -> bytes:
    try:
        # The operator typed the address, so it may be in a private network.
        response = fetch(
            url,
            largest=SIZE_MOST,
            seconds=_SECONDS,
            accept=_TYPES,
            allow_private=True,
            within=frozenset({origin}),
            network=network,
        )
    except OutboundError as error:
        raise TransferError(f"{url} cannot be read: {error}") from None
    if response.status != 200:
        raise TransferError(f"{url} cannot be read: the server answers with status {response.status}.")
    return response.body
