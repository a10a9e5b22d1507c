"""Signed values that travel through browsers, and keyed hashes of what must not be stored in clear."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from functools import cached_property, lru_cache

from itsdangerous import BadSignature, TimedSerializer, TimestampSigner, URLSafeTimedSerializer
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
    """Compresses only what is long, though what it reads may be either; and keeps what it checks signatures with."""

    def dump_payload(self, obj: object) -> bytes:
        if isinstance(obj, str) and len(obj) < _SHORT:
            return base64_encode(TimedSerializer.dump_payload(self, obj))
        return super().dump_payload(obj)

    @cached_property
    def _checking(self) -> list[TimestampSigner]:
        return list(super().iter_unsigners())

    def iter_unsigners(self, salt: str | bytes | None = None) -> Iterator[TimestampSigner]:
        return super().iter_unsigners(salt) if salt else iter(self._checking)


@lru_cache(maxsize=64)
def _signer(secret: str, purpose: str) -> _Signer:
    return _Signer(secret, salt=f"commentsvc.{purpose}")


def keyed_hash(secret: str | bytes, purpose: str, value: str) -> str:
    """Return 64 hexadecimal digits: HMAC-SHA-256 of `value`, different for each purpose."""
    digest = _begun(secret).copy()
    digest.update(f"{purpose}\0{value}".encode())
    return digest.hexdigest()


@lru_cache(maxsize=4)
def _begun(secret: str | bytes) -> hmac.HMAC:
    """Return an HMAC as it stands after the key, with which all begin: OpenSSL takes longer for that than to hash."""
    return hmac.new(secret.encode() if isinstance(secret, str) else secret, digestmod="sha256")


def new_token() -> str:
    """Return 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def challenge_of(token: str) -> str:
    """Return the SHA-256 of a random token, 64 hexadecimal digits: what a browser hands over before the token."""
    return hashlib.sha256(token.encode()).hexdigest()
