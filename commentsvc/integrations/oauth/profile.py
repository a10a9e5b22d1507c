"""One shape for a person, whichever provider vouches for them; a reader for each way of answering."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from commentsvc.errors import ProviderError
from commentsvc.integrations import claims as claims_
from commentsvc.integrations.claims import text as _text
from commentsvc.integrations.claims import web_address as _url

Claims = Mapping[str, Any]


@dataclass(frozen=True)
class Profile:
    """Who somebody is at a provider. `issuer` and `subject` identify them; nothing else does."""

    issuer: str
    subject: str
    name: str
    picture: str | None = None
    email: str | None = None
    """Only where the provider says it verified it, and is one whose word counts."""
    link: str | None = None


Reader = Callable[[str, Claims], Profile]


def oidc(issuer: str, claims: Claims) -> Profile:
    """OpenID Connect's standard claims."""
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
    """Any tenant's administrator may set any e-mail, so none counts; the tenant's own issuer identifies."""
    result = oidc(str(claims.get("iss") or issuer), claims)
    return Profile(issuer=result.issuer, subject=result.subject, name=result.name)


def github(issuer: str, claims: Claims) -> Profile:
    """`login` can be given up and taken by another; `id` cannot. `name` is null for many."""
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
    """`id` is this application's own; the e-mail is never said to be verified."""
    picture = _inner(_inner(claims, "picture", required=False), "data", required=False)
    return Profile(
        issuer=issuer,
        subject=_subject(claims.get("id")),
        name=_first(claims, "name"),
        picture=None if picture.get("is_silhouette") else _url(picture.get("url")),
    )


def discord(issuer: str, claims: Claims) -> Profile:
    """The picture is a name on a content server, made of the person's id and the picture's hash."""
    subject = _subject(claims.get("id"))
    avatar = _text(claims.get("avatar"))
    picture = f"https://cdn.discordapp.com/avatars/{subject}/{avatar}.png?size=128" if avatar else None
    return Profile(issuer, subject, _first(claims, "global_name", "username"), picture=picture)


def wordpress(issuer: str, claims: Claims) -> Profile:
    """`/rest/v1.1/me` of WordPress.com, for applications made before it spoke OpenID Connect."""
    return Profile(
        issuer=issuer,
        subject=_subject(claims.get("ID")),
        name=_first(claims, "display_name", "username"),
        picture=_url(claims.get("avatar_URL")),
        email=_text(claims.get("email")) if claims.get("email_verified") is True else None,
        link=_url(claims.get("profile_URL")),
    )


def mastodon(issuer: str, claims: Claims) -> Profile:
    """Ids are an instance's own; the instance is the issuer, so the two together stay unique and stable."""
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
        raise ProviderError("The provider did not say who you are in a way that is understood.") from None


def _first(claims: Claims, *names: str) -> str:
    return next((text for name in names if (text := _text(claims.get(name)))), "")


def _inner(claims: Claims, name: str, *, required: bool = True) -> Claims:
    value = claims.get(name)
    if isinstance(value, Mapping):
        return value
    if required:
        raise ProviderError("The provider answered in a way that is not understood.")
    return {}
