"""Apple's peculiarities: the client secret is a token that we sign, and the name comes only once, in the form post."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from commentsvc import strict_json
from commentsvc.errors import ProviderError
from commentsvc.messages import gettext

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

    from commentsvc.integrations.oauth.catalogue import Provider

_LIFE = 600


def signing_key(text: str) -> ECKey:
    """Return the private key from Apple's portal; raises ProviderError."""
    from joserfc.errors import JoseError  # imported here because it is slow to load and few services need it
    from joserfc.jwk import ECKey

    # A variable has one line; `\n` stands for a line end in it.
    try:
        key = ECKey.import_key(text.replace("\\n", "\n"))
    except (JoseError, ValueError, TypeError) as error:
        raise ProviderError(gettext("Apple is set up wrongly: its private key cannot be read.")) from error
    if not key.is_private or key.curve_name != "P-256":
        raise ProviderError(gettext("Apple is set up wrongly: its key is not a private key for ES256."))
    return key


def signed_secret(provider: Provider) -> str:
    """Return a client secret, signed with the private key for ten minutes; raises ProviderError."""
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
    """Add the name from the first form post; it is not signed, so nothing else is taken from there."""
    try:
        name = strict_json.read_object(user)["name"]
        full = " ".join(part for part in (name.get("firstName"), name.get("lastName")) if part)
    except (ValueError, KeyError, TypeError, AttributeError):
        return claims
    return {**claims, "name": claims.get("name") or full}
