"""What is different at Apple: the client secret is a token we sign, and the name comes once, in the form post."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from commentsvc.errors import ProviderError
from commentsvc.integrations import claims as claims_

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

    from commentsvc.integrations.oauth.catalogue import Provider

_LIFE = 600


def signing_key(text: str) -> ECKey:
    """Return the private key from Apple's portal; raises ProviderError."""
    from joserfc.errors import JoseError  # here, because few services need it and it takes its time to load
    from joserfc.jwk import ECKey

    # A variable is one line; its line ends are written as a backslash and an n.
    try:
        key = ECKey.import_key(text.replace("\\n", "\n"))
    except (JoseError, ValueError, TypeError) as error:
        raise ProviderError("Apple is set up wrongly: its private key cannot be read.") from error
    if not key.is_private or key.curve_name != "P-256":
        raise ProviderError("Apple is set up wrongly: its key is no private key for ES256.")
    return key


def client_secret(provider: Provider) -> str:
    """Return a client secret valid for ten minutes, signed with the private key; raises ProviderError."""
    if not provider.options.get("private_key"):
        return provider.client_secret
    from joserfc import jwt

    now = int(time.time())
    claims = {
        "iss": provider.options.get("team_id", ""),
        "iat": now,
        "exp": now + _LIFE,
        "aud": provider.issuer,
        "sub": provider.client_id,
    }
    header = {"alg": "ES256", "kid": provider.options.get("key_id", "")}
    return jwt.encode(header, claims, signing_key(provider.options["private_key"]))


def with_name(claims: dict[str, Any], user: str) -> dict[str, Any]:
    """Add the name that the first form post brought; what is not signed says nothing about who somebody is."""
    try:
        name = claims_.read_object(user)["name"]
        full = " ".join(part for part in (name.get("firstName"), name.get("lastName")) if part)
    except (ValueError, KeyError, TypeError, AttributeError):
        return claims
    return {**claims, "name": claims.get("name") or full}
