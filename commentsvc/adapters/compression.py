"""Compressing answers; the only importer of brotli and zstd."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable, Mapping

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

IDENTITY = "identity"
_LONGEST_HEADER = 200
"""Characters; browsers send some 25, and a longer one is not worth its reading."""

# As much as pays for a page that may be asked for once: of 119 KB in about a millisecond, 14 to 16 KB.
_COMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: bytes(brotli.compress(body, quality=5)),
    "zstd": lambda body: bytes(zstd.compress(body, 3)),
    "gzip": lambda body: gzip.compress(body, 5, mtime=0),
}
_MOST: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: bytes(brotli.compress(body, quality=11)),
    "zstd": lambda body: bytes(zstd.compress(body, 19)),
    "gzip": lambda body: gzip.compress(body, 9, mtime=0),
}
_DECOMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: bytes(brotli.decompress(body)),
    "zstd": lambda body: bytes(zstd.decompress(body)),
    "gzip": gzip.decompress,
    IDENTITY: lambda body: body,
}
CODINGS = tuple(_COMPRESS)
"""The best first."""


def compressed(body: bytes, coding: str, *, lasting: bool = False) -> bytes:
    """Return `body` in one of CODINGS or as it is; `lasting` for what is worth the most time, because it stays."""
    if coding == IDENTITY:
        return body
    return (_MOST if lasting else _COMPRESS)[coding](body)


def decompressed(body: bytes, coding: str) -> bytes:
    """Return what was compressed."""
    return _DECOMPRESS[coding](body)


def chosen(accepted: str) -> str:
    """Return the best coding that an `Accept-Encoding` header allows (RFC 9110, 12.5.3), IDENTITY where none."""
    if not accepted or len(accepted) > _LONGEST_HEADER:
        return IDENTITY
    weights = dict(_weighed(part) for part in accepted.lower().split(","))
    found = {coding: weights.get(coding, weights.get("*", 0.0)) for coding in CODINGS}
    best = max(CODINGS, key=lambda coding: found[coding])  # of equal ones the first
    # Nobody who takes a compressed answer at all wants this one large, whatever weight they gave to identity.
    return best if found[best] > 0 else IDENTITY


def _weighed(part: str) -> tuple[str, float]:
    name, _, parameter = part.partition(";")
    try:
        weight = float(parameter.partition("q=")[2]) if parameter else 1.0
    except ValueError:
        weight = 0.0
    return name.strip(), weight if 0 <= weight <= 1 else 0.0
