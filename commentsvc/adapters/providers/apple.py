"""What is different at Apple: the client secret is a token we sign, and the name comes once, in the form post."""

from __future__ import annotations

import json
import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from commentsvc.adapters.providers.catalogue import Provider

KEYS = "https://appleid.apple.com/auth/keys"
_LIFE = 600


def client_secret(provider: Provider) -> str:
    """Return a client secret valid for ten minutes, signed with the private key from Apple's portal."""
    key_text = provider.options.get("private_key", "").replace("\\n", "\n")
    if not key_text:
        return provider.client_secret
    now = int(time.time())
    claims = {
        "iss": provider.options.get("team_id", ""),
        "iat": now,
        "exp": now + _LIFE,
        "aud": provider.issuer,
        "sub": provider.client_id,
    }
    header = {"alg": "ES256", "kid": provider.options.get("key_id", "")}
    return jwt.encode(header, claims, ECKey.import_key(key_text))


def with_name(claims: dict[str, Any], user: str) -> dict[str, Any]:
    """Add the name that the first form post brought; what is not signed says nothing about who somebody is."""
    try:
        name = json.loads(user)["name"]
        full = " ".join(part for part in (name.get("firstName"), name.get("lastName")) if part)
    except (ValueError, KeyError, TypeError, AttributeError):
        return claims
    return {**claims, "name": claims.get("name") or full}
