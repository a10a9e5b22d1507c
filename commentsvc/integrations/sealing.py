"""Encrypts what the database stores for use, such as tokens for other services, with a key from the secret key.

Whoever has only the database, or a backup of it, can read nothing of it.
"""

from __future__ import annotations

import base64

from commentsvc.integrations import signing


def seal(secret: str, purpose: str, text: str) -> str:
    """Return `text`, encrypted and authenticated with Fernet (AES-128-CBC, HMAC-SHA-256)."""
    from cryptography.fernet import Fernet  # here, because few services have anything to encrypt

    return Fernet(_key(secret, purpose)).encrypt(text.encode()).decode()


def unseal(secret: str, purpose: str, sealed: str) -> str | None:
    """Return what was sealed; None if it was sealed with another secret or for another purpose."""
    from cryptography.fernet import Fernet, InvalidToken

    try:
        return Fernet(_key(secret, purpose)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None


def _key(secret: str, purpose: str) -> bytes:
    return base64.urlsafe_b64encode(bytes.fromhex(signing.keyed_hash(secret, "seal", purpose)))
