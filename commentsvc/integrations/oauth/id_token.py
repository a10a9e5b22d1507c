"""Verifies ID tokens: signature, issuer, audience, time, nonce (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from commentsvc.errors import ProviderError
from commentsvc.integrations.oauth.catalogue import Provider
from commentsvc.messages import gettext
from commentsvc.strict_json import StrictDecoder

log = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA", "Ed25519", "RS384", "RS512", "ES384", "ES512")
"""Never `none` and never a shared secret, whatever the provider's metadata offer."""
LEEWAY = 60
"""Seconds by which two clocks may differ."""


class UnknownKeyError(ProviderError):
    """None of the known keys signed the token; the provider may have changed them, even under the same key id."""


def verify(
    token: str, keys: Mapping[str, Any], provider: Provider, *, issuer: str, nonce: str | None
) -> dict[str, Any]:
    """Return the claims of an ID token; raises ProviderError, UnknownKeyError."""
    claims = signed_claims(token, keys)
    _require(_issuer_fits(claims, provider, issuer), "issuer")
    _require(_audience_fits(claims, provider.client_id), "audience")
    _require_time(claims, provider)
    if nonce is not None:
        _require(claims.get("nonce") == nonce, "nonce")
    return claims


def signed_claims(token: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of a token that one of the keys signed; raises ProviderError, UnknownKeyError."""
    try:
        known = KeySet.import_key_set(dict(keys))  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnknownKeyError(gettext("The provider's keys cannot be read.")) from error
    try:
        decoded = jwt.decode(token, known, algorithms=list(ALGORITHMS), decoder_cls=StrictDecoder)
    except (InvalidKeyIdError, BadSignatureError):
        raise UnknownKeyError(gettext("The provider's answer is not signed as it should be.")) from None
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProviderError(gettext("The provider's answer is not signed as it should be.")) from error
    return dict(decoded.claims)


def _issuer_fits(claims: Mapping[str, Any], provider: Provider, issuer: str) -> bool:
    expected = issuer
    if provider.any_tenant:
        tenant = claims.get("tid")
        if not isinstance(tenant, str) or not re.fullmatch(r"[A-Za-z0-9-]{1,64}", tenant):
            return False
        expected = issuer.replace("{tenantid}", tenant)
    return bool(expected) and claims.get("iss") == expected


def _audience_fits(claims: Mapping[str, Any], client_id: str) -> bool:
    audience = claims.get("aud")
    several = audience if isinstance(audience, list) else [audience]
    if client_id not in several:
        return False
    authorized = claims.get("azp")
    return authorized == client_id if authorized is not None else len(several) == 1


def _require_time(claims: Mapping[str, Any], provider: Provider) -> None:
    now = time.time()
    try:
        _require(seconds(claims.get("exp")) > now - LEEWAY, "expiry")
        _require(seconds(claims.get("iat")) < now + LEEWAY, "time")
        if "nbf" in claims:
            _require(seconds(claims["nbf"]) <= now + LEEWAY, "time")
    except ProviderError:
        log.warning(
            "%s sent an ID token that is not valid now: is this machine's clock right? (`commentsvc doctor`)",
            provider.key,
        )
        raise


def seconds(value: object) -> float:
    """Return a time in seconds; NaN, which fails every comparison, for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > 1e11:
        return float("nan")
    return float(value)


def _require(holds: bool, what: str) -> None:
    if not holds:
        words = gettext("The provider's answer was meant for somebody else or is too old (%(what)s).")
        raise ProviderError(words % {"what": what})
