"""The providers this service knows, a row each. One that answers in a known way needs a row and nothing else.

Sources: the vendors' own documents, as of November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from commentsvc.adapters.providers import profile
from commentsvc.adapters.providers.profile import Reader
from commentsvc.config import ProviderSettings, Settings
from commentsvc.errors import SettingsError

BASIC, POST = "client_secret_basic", "client_secret_post"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """How to log in at one provider."""

    key: str
    label: str
    issuer: str
    """OpenID Connect: where discovery is. Others: the name under which its people are stored."""
    scope: str
    read: Reader = profile.oidc
    authorize_url: str = ""
    """Empty: OpenID Connect, everything is found by discovery."""
    token_url: str = ""
    profile_url: str = ""
    token_auth: str = POST
    pkce: bool = True
    nonce: bool = True
    """Whether the ID token repeats the nonce."""
    form_post: bool = False
    """Whether the provider posts the answer from its own page."""
    userinfo: bool = False
    """Whether the profile must be asked for even though there is an ID token."""
    any_tenant: bool = False
    """Whether `{tenantid}` in the issuer stands for each token's own `tid`."""
    prove_secret: bool = False
    """Facebook: calls with a token also prove knowledge of the secret."""
    extra: Mapping[str, str] = field(default_factory=dict)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further settings of this provider: Apple's team, key id and private key."""

    @property
    def openid(self) -> bool:
        return not self.authorize_url


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
        form_post=True,
        extra={"response_mode": "form_post"},
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


def offered(settings: Settings) -> list[Provider]:
    """Return the providers that `settings` turn on; raises SettingsError naming every one that is not known."""
    rows: list[Provider] = []
    faults: list[str] = []
    for one in settings.providers:
        try:
            rows.append(configured(one))
        except SettingsError as error:
            faults.extend(error.faults)
    if faults:
        raise SettingsError(faults)
    return [*rows, _BY_KEY["mastodon"]] if settings.mastodon else rows


def configured(settings: ProviderSettings) -> Provider:
    """Return the row that `settings` fill in; raises SettingsError for a provider that is not known."""
    if settings.key.startswith("oidc"):
        if not settings.issuer:
            raise SettingsError([f"COMMENTSVC_{settings.key.upper()}_ISSUER is not set."])
        name = settings.key.removeprefix(_OIDC).removeprefix("oidc") or "single sign-on"
        row = Provider(
            key=settings.key,
            label=name.replace("_", " ").title(),
            issuer=settings.issuer,
            scope="openid profile email",
            userinfo=True,
        )
    elif settings.key in _BY_KEY:
        row = _BY_KEY[settings.key]
    else:
        raise SettingsError(
            [f"No provider is called {settings.key!r}. Known: {', '.join(_BY_KEY)}, oidc_NAME."]
        )
    return replace(
        row,
        label=settings.label or row.label,
        issuer=settings.issuer or row.issuer,
        scope=settings.scope or row.scope,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        options=dict(settings.options),
    )


def label_of(key: str) -> str:
    """Return what to call a provider that may no longer be configured."""
    row = _BY_KEY.get(key)
    return row.label if row else key.removeprefix(_OIDC).replace("_", " ").title()
