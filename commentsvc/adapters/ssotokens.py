"""Tokens with which a website vouches for its own users: JWT (RFC 7519), signed with the site's secret by HS256."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commentsvc.errors import LoginFailedError, StaleTokenError

ALGORITHM = "HS256"
"""The only one: what a token says of itself decides nothing."""
LONGEST = 4000
"""Characters of a token."""
LIFE = 600
"""Seconds; a token that lives longer is refused, for it could be used long after its owner logged out."""
LEEWAY = 60
"""Seconds by which clocks may differ."""
_SUBJECT_LONGEST = 300


@dataclass(frozen=True)
class Person:
    """Who a website says is there."""

    subject: str
    """The website's own id of them; never shown."""
    name: str
    picture: str | None = None
    url: str | None = None


def read(token: str, secret: str, *, audience: str, at: datetime) -> Person:
    """Return who a token speaks of; raises LoginFailedError saying what is wrong, StaleTokenError where it is old."""
    from joserfc import jwt  # here, because few sites need it and it takes its time to load
    from joserfc.errors import JoseError
    from joserfc.jwk import OctKey

    if len(token) > LONGEST:
        raise LoginFailedError("The website's sign-in token is too long.")
    try:
        claims = jwt.decode(token, OctKey.import_key(secret), algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise LoginFailedError("The website's sign-in token is not signed with this site's secret.") from None
    _require(isinstance(claims, dict), "claims")
    _require_time(claims, at.timestamp())
    _require(claims.get("aud") in (audience, [audience]), "aud", f"it must be {audience!r}")
    return Person(
        subject=_subject(claims.get("sub")),
        name=_text(claims.get("name")) or "",
        picture=_text(claims.get("picture")),
        url=_text(claims.get("url")),
    )


def _require_time(claims: Mapping[str, Any], now: float) -> None:
    issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
    _require(issued <= now + LEEWAY, "iat", "it lies in the future")
    _require(expires <= issued + LIFE, "exp", f"it must be at most {LIFE // 60} minutes after iat")
    if "nbf" in claims:
        _require(_seconds(claims, "nbf") <= now + LEEWAY, "nbf", "it lies in the future")
    if expires <= now - LEEWAY:
        raise StaleTokenError


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e11:
        raise LoginFailedError(_words(name, "it must be a time in seconds"))
    return float(value)


def _subject(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > _SUBJECT_LONGEST:
        raise LoginFailedError(_words("sub", "it must be your own id of this user"))
    return value


def _text(value: object) -> str | None:
    return value.strip()[:500] if isinstance(value, str) and value.strip() else None


def _require(holds: bool, claim: str, why: str = "it is not understood") -> None:
    if not holds:
        raise LoginFailedError(_words(claim, why))


def _words(claim: str, why: str) -> str:
    return f"The website's sign-in token has a wrong {claim}: {why}."
