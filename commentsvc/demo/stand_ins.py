"""The providers that Demo ID stands in for, each with its own addresses, rules and form of a profile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from commentsvc.config import PREFIX


@dataclass(frozen=True)
class Someone:
    """A person as whom a visitor can log in."""

    key: str
    name: str
    about: str

    @property
    def number(self) -> int:
        """Their id at a provider that numbers people."""
        return int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:6], "big")


@dataclass(frozen=True)
class Client:
    """The only registered OAuth client."""

    id: str
    secret: str
    redirect_uri: str


@dataclass(frozen=True)
class StandIn:
    """What differs at one provider."""

    key: str
    label: str
    profile: Callable[[Someone], dict[str, Any]]
    """Returns the profile of a person in the form of this provider, without links, which would lead to real people."""
    openid: bool = False
    pkce: bool = True
    proves_secret: bool = False
    """Whether a request for a profile must prove knowledge of the secret, as at Facebook."""
    authorize: str = "/authorize"
    token: str = "/token"  # noqa: S105
    userinfo: str = "/userinfo"

    def variables(self, issuer: str, client: Client) -> dict[str, str]:
        """Return the settings of a service that asks this stand-in, as an operator with an own server has them."""
        parts = {"ISSUER": issuer, "CLIENT_ID": client.id, "CLIENT_SECRET": client.secret}
        if not self.openid and self.key != "mastodon":
            parts["AUTHORIZE_URL"] = issuer + self.authorize
            parts["TOKEN_URL"] = issuer + self.token
            parts["PROFILE_URL"] = issuer + self.userinfo
        return {f"{PREFIX}{self.key.upper()}_{name}": value for name, value in parts.items()}


def _claims(someone: Someone) -> dict[str, Any]:
    return {"sub": someone.key, "name": someone.name}


def _x(someone: Someone) -> dict[str, Any]:
    return {"data": {"id": str(someone.number), "name": someone.name}}


def _facebook(someone: Someone) -> dict[str, Any]:
    return {
        "id": str(someone.number),
        "name": someone.name,
        "picture": {"data": {"is_silhouette": True}},
    }


def _github(someone: Someone) -> dict[str, Any]:
    return {"id": someone.number, "login": someone.key, "name": someone.name}


def _mastodon(someone: Someone) -> dict[str, Any]:
    return {"id": str(someone.number), "username": someone.key, "display_name": someone.name}


STAND_INS = (
    StandIn("wordpress", "WordPress.com", _claims, openid=True),
    StandIn("x", "X", _x),
    StandIn("facebook", "Facebook", _facebook, pkce=False, proves_secret=True),
    StandIn("github", "GitHub", _github),
    StandIn("google", "Google", _claims, openid=True),
    StandIn(
        "mastodon",
        "Mastodon",
        _mastodon,
        authorize="/oauth/authorize",
        token="/oauth/token",  # noqa: S106
        userinfo="/api/v1/accounts/verify_credentials",
    ),
)
"""In the order of their marks in the form."""
