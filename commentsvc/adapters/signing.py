"""Signed values that travel through browsers, and keyed hashes of what must not be stored in clear."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache

from itsdangerous import BadSignature, TimedSerializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

_SHORT = 100
"""Characters in which there is nothing to compress. To try takes a quarter of a megabyte, and longer than to sign."""


def sign(secret: str, purpose: str, value: str) -> str:
    """Return `value` signed and dated; one purpose's tokens are worthless for another."""
    return str(_signer(secret, purpose).dumps(value))


def unsign(secret: str, purpose: str, token: str, *, max_age: int) -> tuple[str, float] | None:
    """Return what was signed and when (Unix seconds), or None for a token not ours or older than `max_age` s."""
    try:
        value, signed_at = _signer(secret, purpose).loads(token, max_age=max_age, return_timestamp=True)
    except BadSignature:
        return None
    return (value, signed_at.timestamp()) if isinstance(value, str) else None


class _Signer(URLSafeTimedSerializer):
    """Compresses only what is long; what it reads may be either."""

    def dump_payload(self, obj: object) -> bytes:
        if isinstance(obj, str) and len(obj) < _SHORT:
            return base64_encode(TimedSerializer.dump_payload(self, obj))
        return super().dump_payload(obj)


@lru_cache(maxsize=64)
def _signer(secret: str, purpose: str) -> URLSafeTimedSerializer:
    return _Signer(secret, salt=f"commentsvc.{purpose}")


def keyed_hash(secret: str, purpose: str, value: str) -> str:
    """Return 64 hexadecimal digits: HMAC-SHA-256 of `value`, different for each purpose."""
    return hmac.digest(secret.encode(), f"{purpose}\0{value}".encode(), "sha256").hex()


def new_token() -> str:
    """Return 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return 64 hexadecimal digits under which a random token is stored; it has no need of a key."""
    return hashlib.sha256(token.encode()).hexdigest()
