"""Single sign-on tokens, with which a website logs its own users in: JWT (RFC 7519), HS256 with the site's secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commentsvc import strict_json
from commentsvc.errors import LoginFailedError, StaleTokenError
from commentsvc.integrations import claims

ALGORITHM = "HS256"
"""The only algorithm; the token's own `alg` header is not trusted."""
LONGEST = 4000
"""Characters of a token."""
LIFE = 600
"""Longest lifetime in seconds; a longer one could be used long after its owner logged out."""
LEEWAY = 60
"""Seconds by which two clocks may differ."""


@dataclass(frozen=True)
class SsoClaims:
    """The user whom a token names."""

    subject: str
    """The website's own id of the user; never shown."""
    name: str
    picture: str | None = None
    url: str | None = None
    email: str | None = None
    """The user's e-mail address, if the website says that it has verified it."""


def read(token: str, secret: str, *, audience: str, at: datetime) -> SsoClaims:
    """Return the claims of a token; raises LoginFailedError with the reason, StaleTokenError if it has expired."""
    from joserfc import jwt  # imported here because it is slow to load and few sites need it
    from joserfc.errors import InvalidPayloadError, JoseError
    from joserfc.jwk import OctKey

    if len(token) > LONGEST:
        raise LoginFailedError("The website's sign-in token is too long.")
    try:
        key = OctKey.import_key(secret)
        given = jwt.decode(token, key, algorithms=[ALGORITHM], decoder_cls=strict_json.StrictDecoder).claims
    except InvalidPayloadError:
        raise LoginFailedError(
            "The website's sign-in token cannot be read: it must be a JSON object with each claim once."
        ) from None
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise LoginFailedError("The website's sign-in token is not signed with this site's secret.") from None
    _require_time(given, at.timestamp())
    _require(given.get("aud") in (audience, [audience]), "aud", f"it must be {audience!r}")
    return SsoClaims(
        subject=_subject(given.get("sub")),
        name=claims.text(given.get("name")) or "",
        picture=claims.web_address(given.get("picture")),
        url=claims.text(given.get("url")),
        email=claims.text(given.get("email")) if given.get("email_verified") is True else None,
    )


def _require_time(given: Mapping[str, Any], now: float) -> None:
    issued, expires = _seconds(given, "iat"), _seconds(given, "exp")
    _require(issued <= now + LEEWAY, "iat", "it lies in the future")
    _require(expires <= issued + LIFE, "exp", f"it must be at most {LIFE // 60} minutes after iat")
    if "nbf" in given:
        _require(_seconds(given, "nbf") <= now + LEEWAY, "nbf", "it lies in the future")
    if expires <= now - LEEWAY:
        raise StaleTokenError


def _seconds(given: Mapping[str, Any], name: str) -> float:
    value = given.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e11:
        raise LoginFailedError(_words(name, "it must be a time in seconds"))
    return float(value)


def _subject(value: object) -> str:
    try:
        return claims.subject(value)
    except ValueError:
        why = f"it must be your own id of this user, up to {claims.SUBJECT_LONGEST} characters"
        raise LoginFailedError(_words("sub", why)) from None


def _require(holds: bool, claim: str, why: str = "it is not understood") -> None:
    if not holds:
        raise LoginFailedError(_words(claim, why))


def _words(claim: str, why: str) -> str:
    return f"The website's sign-in token has a wrong {claim}: {why}."
