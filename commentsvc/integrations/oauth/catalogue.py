"""The table of login providers. A provider with a known response format needs only a row.

Sources: the vendors' own documents, as of November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from commentsvc.config import PREFIX, ProviderSettings, Settings
from commentsvc.errors import ProviderError, SettingsError
from commentsvc.integrations.oauth import apple, own_server, profile
from commentsvc.integrations.oauth.profile import Reader

BASIC, POST = "client_secret_basic", "client_secret_post"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One provider: its addresses, its credentials and what differs there."""

    key: str
    label: str
    issuer: str
    """OpenID Connect: the issuer, and so the address of discovery. Others: a name, stored with each identity."""
    scope: str
    read: Reader = profile.oidc
    authorize_url: str = ""
    """Empty for OpenID Connect, where discovery finds all addresses."""
    token_url: str = ""
    profile_url: str = ""
    keys_url: str = ""
    """The address of the keys of ID tokens, without discovery."""
    token_auth: str = POST
    """How the secret is sent; empty: as the provider's metadata prefer."""
    pkce: bool = True
    nonce: bool = True
    """Whether the ID token repeats the nonce."""
    form_post: bool = False
    """Whether the provider sends its response as a cross-site POST."""
    userinfo: bool = False
    """Whether to request the profile even if there is an ID token."""
    any_tenant: bool = False
    """Whether `{tenantid}` in the issuer stands for each token's own `tid`."""
    prove_secret: bool = False
    """Facebook: calls with a token must also prove knowledge of the secret."""
    name_in_answer: bool = False
    """Whether a person's name comes only in the response to their first login."""
    extra: Mapping[str, str] = field(default_factory=dict)
    notices: Mapping[str, str] = field(default_factory=dict)
    """The paths to which the provider sends notices about its users, by what they are called there."""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further settings: Apple's team id, key id, private key and primary App ID."""

    @property
    def openid(self) -> bool:
        return not self.authorize_url

    @property
    def has_id_tokens(self) -> bool:
        return self.openid or bool(self.keys_url)

    @property
    def secret(self) -> str:
        """The client secret, or one that Apple's private key has signed for ten minutes; raises ProviderError."""
        return apple.signed_secret(self) if self.options.get("private_key") else self.client_secret

    @property
    def asks_server(self) -> bool:
        """Whether people name their own server, as on Mastodon, unless the operator has chosen one."""
        return self.key == "mastodon" and not self.issuer

    @property
    def is_own(self) -> bool:
        """Whether it is the operator's own provider, which has no well-known logo, so that its name must be shown."""
        row = _BY_KEY.get(self.key)
        return row is None or row.label != self.label


ROWS: tuple[Provider, ...] = (
    Provider(
        key="wordpress",
        label="WordPress.com",
        issuer="https://public-api.wordpress.com",
        scope="openid profile email",
    ),
    Provider(
        key="wordpress_legacy",
        label="WordPress.com",
        issuer="https://wordpress.com",
        scope="auth",
        authorize_url="https://public-api.wordpress.com/oauth2/authorize",
        token_url="https://public-api.wordpress.com/oauth2/token",
        profile_url="https://public-api.wordpress.com/rest/v1.1/me",
        pkce=False,
        read=profile.wordpress,
    ),
    Provider(
        key="x",
        label="X",
        issuer="https://x.com",
        scope="users.read tweet.read",
        authorize_url="https://x.com/i/oauth2/authorize",
        token_url="https://api.x.com/2/oauth2/token",
        profile_url="https://api.x.com/2/users/me?user.fields=profile_image_url",
        token_auth=BASIC,
        read=profile.x,
    ),
    Provider(
        key="facebook",
        label="Facebook",
        issuer="https://www.facebook.com",
        scope="public_profile",
        authorize_url="https://www.facebook.com/v24.0/dialog/oauth",
        token_url="https://graph.facebook.com/v24.0/oauth/access_token",
        profile_url="https://graph.facebook.com/v24.0/me?fields=id,name,picture",
        pkce=False,
        prove_secret=True,
        notices={
            "data deletion": "/login/facebook/deletion",
            "deauthorise": "/login/facebook/deauthorize",
        },
        read=profile.facebook,
    ),
    Provider(key="google", label="Google", issuer="https://accounts.google.com", scope="openid profile"),
    Provider(
        key="github",
        label="GitHub",
        issuer="https://github.com",
        scope="",
        authorize_url="https://github.com/login/oauth/authorize",
        token_url="https://github.com/login/oauth/access_token",
        profile_url="https://api.github.com/user",
        read=profile.github,
    ),
    Provider(
        key="gitlab", label="GitLab", issuer="https://gitlab.com", scope="openid profile", userinfo=True
    ),
    Provider(
        key="microsoft",
        label="Microsoft",
        issuer="https://login.microsoftonline.com/common/v2.0",
        scope="openid profile",
        any_tenant=True,
        read=profile.microsoft,
    ),
    Provider(
        key="discord",
        label="Discord",
        issuer="https://discord.com",
        scope="identify",
        authorize_url="https://discord.com/oauth2/authorize",
        token_url="https://discord.com/api/oauth2/token",
        profile_url="https://discord.com/api/users/@me",
        read=profile.discord,
    ),
    Provider(
        key="linkedin",
        label="LinkedIn",
        issuer="https://www.linkedin.com/oauth",
        scope="openid profile",
        pkce=False,  # LinkedIn refuses the parameters unless it has enabled them for the application
        nonce=False,
    ),
    Provider(
        key="apple",
        label="Apple",
        issuer="https://appleid.apple.com",
        scope="name email",
        authorize_url="https://appleid.apple.com/auth/authorize",
        token_url="https://appleid.apple.com/auth/token",
        keys_url="https://appleid.apple.com/auth/keys",
        form_post=True,
        name_in_answer=True,
        extra={"response_mode": "form_post"},
        notices={"server notices": "/login/apple/notices"},
    ),
    Provider(
        key="mastodon",
        label="Mastodon",
        issuer="",  # each instance its own
        scope="profile",
        read=profile.mastodon,
    ),
)
_BY_KEY = {row.key: row for row in ROWS}
_OIDC = "oidc_"
_OWN_KEY = re.compile(r"oidc(_[a-z0-9_]+)?")
_KEY_LONGEST = 40
"""The length of the database column."""


def offered(settings: Settings) -> list[Provider]:
    """Return the providers that `settings` turn on; raises SettingsError with the faults of all of them."""
    rows: list[Provider] = []
    faults: list[str] = []
    for one in settings.providers:
        try:
            rows.append(configured(one))
        except SettingsError as error:
            faults.extend(error.faults)
    if settings.mastodon and "mastodon" in {row.key for row in rows}:
        faults.append(
            f"{PREFIX}MASTODON=on is for every server, {PREFIX}MASTODON_ISSUER for one: set one of them."
        )
    elif settings.mastodon:
        rows.append(_BY_KEY["mastodon"])
    places = {_key_of(name, rows): place for place, name in enumerate(settings.providers_order)}
    unknown = [
        name for name in settings.providers_order if _key_of(name, rows) not in _BY_KEY | _by_key(rows)
    ]
    known = ", ".join([row.key.removeprefix(_OIDC) for row in rows if row.key not in _BY_KEY] + list(_BY_KEY))
    faults += [
        f"{PREFIX}PROVIDERS_ORDER: no provider is called {name!r}. Known: {known}." for name in unknown
    ]
    if faults:
        raise SettingsError(faults)
    return sorted(rows, key=lambda row: places.get(row.key, len(places)))


def _by_key(rows: Iterable[Provider]) -> dict[str, Provider]:
    return {row.key: row for row in rows}


def _key_of(name: str, rows: Iterable[Provider]) -> str:
    """Return a provider's key; `mycompany` stands for `oidc_mycompany`, unless a row has that name."""
    own = f"{_OIDC}{name}"
    return own if name not in _BY_KEY and own in _by_key(rows) else name


def configured(settings: ProviderSettings) -> Provider:
    """Return the provider's row with the operator's settings; raises SettingsError if they are inconsistent."""
    row = _row(settings)
    if faults := list(_faults(settings, row)):
        raise SettingsError(faults)
    return replace(
        row,
        label=settings.label or row.label,
        **_addresses(settings, row),
        scope=settings.scope or row.scope,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        options=dict(settings.options),
    )


def _addresses(settings: ProviderSettings, row: Provider) -> dict[str, Any]:
    """Return the fields that the operator's own server changes."""
    if row.key == "mastodon":
        return own_server.mastodon_addresses(settings.issuer)
    return {name: value for name in own_server.ADDRESSES if (value := getattr(settings, name))}


def label_of(key: str) -> str:
    """Return the label of a provider, which may no longer be configured."""
    row = _BY_KEY.get(key)
    return row.label if row else key.removeprefix(_OIDC).replace("_", " ").title()


def _row(settings: ProviderSettings) -> Provider:
    key = settings.key
    if key == "mastodon" and not settings.issuer:
        raise SettingsError(
            [
                f"Mastodon needs no client id, because every server issues its own: {PREFIX}MASTODON=on. "
                f"For one server only, set {PREFIX}MASTODON_ISSUER to its address."
            ]
        )
    if key in _BY_KEY:
        return _BY_KEY[key]
    if not _OWN_KEY.fullmatch(key) or len(key) > _KEY_LONGEST:
        known = ", ".join(_BY_KEY)
        raise SettingsError([f"No provider is called {key!r}. Known: {known}, oidc_NAME."])
    name = key.removeprefix("oidc").strip("_") or "single sign-on"
    return Provider(
        key=key,
        label=name.replace("_", " ").title(),
        issuer="",
        scope="openid profile email",
        token_auth="",
        userinfo=True,
    )


def _faults(settings: ProviderSettings, row: Provider) -> Iterator[str]:
    """Yield the faults that would otherwise show only at the first login."""
    variable = f"{PREFIX}{settings.key.upper()}_"
    options = dict(settings.options)
    if row.form_post:
        yield from own_server.unused(settings, row.label, own_server.ADDRESSES)
    elif not row.openid:
        yield from own_server.faults(settings, row.label, row.issuer)
    elif not settings.issuer and not row.issuer:
        yield f"{variable}ISSUER is not set."
    elif settings.issuer and not own_server.is_issuer(settings.issuer):
        yield f"{variable}ISSUER: {settings.issuer!r} must begin with https:// (http:// only on this machine)."
    if row.openid:
        yield from own_server.unused(settings, row.label, own_server.ENDPOINTS)
    if row.key != "apple":
        yield from (f"{variable}{name.upper()} is a setting of Apple's alone." for name in options)
    elif options.get("private_key"):
        yield from (
            f"{variable}{name} is not set." for name in ("TEAM_ID", "KEY_ID") if not options.get(name.lower())
        )
        try:
            apple.signing_key(options["private_key"])
        except ProviderError as error:
            yield f"{variable}PRIVATE_KEY: {error}"
