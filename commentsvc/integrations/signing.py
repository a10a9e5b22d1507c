"""Signs values that travel through browsers, and makes keyed hashes of data that must not be stored in clear text."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache

from itsdangerous import BadSignature, URLSafeTimedSerializer


def sign(secret: str, purpose: str, value: str) -> str:
    """Return `value` with a signature and a timestamp; the token is valid for this purpose only."""
    return str(_signer(secret, purpose).dumps(value))


def unsign(secret: str, purpose: str, token: str, *, max_age: int | None) -> tuple[str, float] | None:
    """Return the value and its time of signing (Unix time); None if the token is forged or older than `max_age` s.

    With `max_age` None its age does not matter, not even whether it was signed in what is the future here.
    """
    try:
        value, signed_at = _signer(secret, purpose).loads(token, max_age=max_age, return_timestamp=True)
    except BadSignature:
        return None
    return (value, signed_at.timestamp()) if isinstance(value, str) else None


@lru_cache(maxsize=64)
def _signer(secret: str, purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt=f"commentsvc.{purpose}")


def keyed_hash(secret: str | bytes, purpose: str, value: str) -> str:
    """Return the HMAC-SHA-256 of `value`, different for each purpose, as 64 hexadecimal digits."""
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(key, f"{purpose}\0{value}".encode(), "sha256").hex()


def new_token() -> str:
    """Return 256 random bits in URL-safe text."""
    return secrets.token_urlsafe(32)


def challenge_of(token: str) -> str:
    """Return the SHA-256 of a token as 64 hexadecimal digits; a browser sends it before it sends the token."""
    return hashlib.sha256(token.encode()).hexdigest()
