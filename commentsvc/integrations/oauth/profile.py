"""The profile of a person, the same for all providers, and a reader for each format of response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from commentsvc.errors import ProviderError
from commentsvc.integrations import claims as claims_
from commentsvc.integrations.claims import text as _text
from commentsvc.integrations.claims import web_address as _url
from commentsvc.messages import gettext

Claims = Mapping[str, Any]


@dataclass(frozen=True)
class Profile:
    """A person at a provider. Only `issuer` and `subject` identify them."""

    issuer: str
    subject: str
    name: str
    picture: str | None = None
    email: str | None = None
    """Only from providers that we trust to verify it, and that say they did."""
    link: str | None = None


Reader = Callable[[str, Claims], Profile]


def oidc(issuer: str, claims: Claims) -> Profile:
    """Read OpenID Connect's standard claims."""
    verified = claims.get("email_verified")
    return Profile(
        issuer=issuer,
        subject=_subject(claims.get("sub")),
        name=_first(claims, "name", "preferred_username", "nickname", "given_name"),
        picture=_url(claims.get("picture")),
        email=_text(claims.get("email")) if verified is True or verified == "true" else None,
        link=_url(claims.get("profile")),
    )


def microsoft(issuer: str, claims: Claims) -> Profile:
    """Use the tenant's own issuer, and no e-mail: the administrator of any tenant may set any address."""
    profile = oidc(str(claims.get("iss") or issuer), claims)
    return Profile(issuer=profile.issuer, subject=profile.subject, name=profile.name)


def github(issuer: str, claims: Claims) -> Profile:
    """Identify by `id`: somebody else can take a `login` that was given up. `name` is often null."""
    return Profile(
        issuer=issuer,
        subject=_subject(claims.get("id")),
        name=_first(claims, "name", "login"),
        picture=_url(claims.get("avatar_url")),
        link=_url(claims.get("html_url")),
    )


def x(issuer: str, claims: Claims) -> Profile:
    data = _inner(claims, "data")
    username = _text(data.get("username"))
    return Profile(
        issuer=issuer,
        subject=_subject(data.get("id")),
        name=_first(data, "name", "username"),
        picture=_url(data.get("profile_image_url")),
        link=f"https://x.com/{username}" if username else None,
    )


def facebook(issuer: str, claims: Claims) -> Profile:
    """Ignore the e-mail, which Facebook never declares as verified; `id` is specific to our application."""
    picture = _inner(_inner(claims, "picture", required=False), "data", required=False)
    return Profile(
        issuer=issuer,
        subject=_subject(claims.get("id")),
        name=_first(claims, "name"),
        picture=None if picture.get("is_silhouette") else _url(picture.get("url")),
    )


def discord(issuer: str, claims: Claims) -> Profile:
    """Build the picture's address from the person's id and the picture's hash."""
    subject = _subject(claims.get("id"))
    avatar = _text(claims.get("avatar"))
    picture = f"https://cdn.discordapp.com/avatars/{subject}/{avatar}.png?size=128" if avatar else None
    return Profile(issuer, subject, _first(claims, "global_name", "username"), picture=picture)


def wordpress(issuer: str, claims: Claims) -> Profile:
    """Read `/rest/v1.1/me` of WordPress.com, for applications registered before it supported OpenID Connect."""
    return Profile(
        issuer=issuer,
        subject=_subject(claims.get("ID")),
        name=_first(claims, "display_name", "username"),
        picture=_url(claims.get("avatar_URL")),
        email=_text(claims.get("email")) if claims.get("email_verified") is True else None,
        link=_url(claims.get("profile_URL")),
    )


def mastodon(issuer: str, claims: Claims) -> Profile:
    """Identify by the instance, as the issuer, and its own id."""
    return Profile(
        issuer=issuer,
        subject=_subject(claims.get("id")),
        name=_first(claims, "display_name", "username"),
        picture=_url(claims.get("avatar_static") or claims.get("avatar")),
        link=_url(claims.get("url")),
    )


def _subject(value: object) -> str:
    """Return the provider's id of a person; raises ProviderError."""
    try:
        return claims_.subject(value)
    except ValueError:
        raise ProviderError(
            gettext("The provider did not say who you are in a way that we understand.")
        ) from None


def _first(claims: Claims, *names: str) -> str:
    return next((text for name in names if (text := _text(claims.get(name)))), "")


def _inner(claims: Claims, name: str, *, required: bool = True) -> Claims:
    value = claims.get(name)
    if isinstance(value, Mapping):
        return value
    if required:
        raise ProviderError(gettext("The provider sent an answer that we do not understand."))
    return {}
