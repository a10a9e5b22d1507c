"""Signed values that travel through browsers, and keyed hashes of what must not be stored in clear."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache

from itsdangerous import BadSignature, URLSafeTimedSerializer


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


@lru_cache(maxsize=64)
def _signer(secret: str, purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt=f"commentsvc.{purpose}")


def keyed_hash(secret: str | bytes, purpose: str, value: str) -> str:
    """Return 64 hexadecimal digits: HMAC-SHA-256 of `value`, different for each purpose."""
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(key, f"{purpose}\0{value}".encode(), "sha256").hex()


def new_token() -> str:
    """Return 256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def challenge_of(token: str) -> str:
    """Return the SHA-256 of a random token, 64 hexadecimal digits: what a browser hands over before the token."""
    return hashlib.sha256(token.encode()).hexdigest()
