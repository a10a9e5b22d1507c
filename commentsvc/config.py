"""The service's settings, read once from a mapping; all faults are reported together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from commentsvc.errors import SettingsError
from commentsvc.origins import origin_of
from commentsvc.setting_values import READERS, Network, database_in

PREFIX = "COMMENTSVC_"


def _setting(doc: str, *, default: str | None, shown: str | None = None) -> Any:
    """Declare a setting; `default` is the text used if the variable is not set, None if it is required."""
    return field(metadata={"doc": doc, "default": default, "shown": shown})


@dataclass(frozen=True)
class ProviderSettings:
    """One login provider's variables: `COMMENTSVC_<KEY>_CLIENT_ID` and the others with its key."""

    key: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    issuer: str = ""
    authorize_url: str = ""
    token_url: str = ""
    profile_url: str = ""
    label: str = ""
    scope: str = ""
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)


_PROVIDER_VARIABLE = re.compile(
    r"(?P<key>[A-Z][A-Z0-9_]*?)_"
    r"(?P<part>CLIENT_ID|CLIENT_SECRET|ISSUER|LABEL|SCOPE|(?:AUTHORIZE|TOKEN|PROFILE)_URL|TEAM_ID|KEY_ID|PRIVATE_KEY"
    r"|APP_ID)"
)
_ADDRESS, _PORT = r"[0-9A-Fa-f.:]+", r"[0-9]{1,5}"
_SERVICE_URL = rf"(?:tcp|udp|sctp)://\[?{_ADDRESS}\]?:{_PORT}"
_ORCHESTRATOR = tuple(
    (re.compile(rf"{PREFIX}(?:[A-Z0-9_]+_)?{name}"), re.compile(text))
    for name, text in (
        ("SERVICE_HOST", _ADDRESS),
        ("SERVICE_PORT(?:_[A-Z0-9_]+)?", _PORT),
        ("PORT(?:_[0-9]+_(?:TCP|UDP|SCTP))?", _SERVICE_URL),
        ("PORT_[0-9]+_(?:TCP|UDP|SCTP)_PROTO", "tcp|udp|sctp"),
        ("PORT_[0-9]+_(?:TCP|UDP|SCTP)_PORT", _PORT),
        ("PORT_[0-9]+_(?:TCP|UDP|SCTP)_ADDR", _ADDRESS),
        ("NAME", "/.+"),
    )
)
"""The names and values that orchestrators add to a container's environment, for each service beside it."""
_KEY_OPTIONS = ("team_id", "key_id", "private_key")
_PROVIDER_OPTIONS = (*_KEY_OPTIONS, "app_id")
APPLE_KEY = tuple(f"{PREFIX}APPLE_{part.upper()}" for part in _KEY_OPTIONS)
"""The variables that can replace Apple's secret."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The operator's settings. Field names are the variables' names without the prefix, in lower case."""

    secret_key: str = _setting(
        "Signs forms, sessions and links, and encrypts the addresses of webhooks; a new key ends them. At least 32 "
        "characters; `commentsvc init` makes one.",
        default=None,
    )
    base_url: str = _setting(
        "The service's own address as browsers see it, such as `https://comments.example`.", default=None
    )
    data_dir: Path = _setting("The directory of the SQLite file and `settings.env`.", default="instance")
    database_url: str = _setting(
        "`sqlite:////path/to/file` or `postgresql://…`.",
        default="",
        shown="SQLite file in the data directory",
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        "Networks whose `X-Forwarded-For` is trusted, separated by commas.", default="", shown="none"
    )
    max_comment_length: int = _setting("Characters in one comment.", default="10000")
    post_limit: str = _setting(
        "Attempts to comment from one network (IPv4 /24, IPv6 /48), as `N/period;N/period`, each N at least 1.",
        default="10/minute;120/hour",
    )
    person_limit: str = _setting(
        "Attempts to comment by one person: an account, or a guest's browser.", default="6/minute;60/hour"
    )
    thread_limit: str = _setting(
        "Comments accepted in one thread, from all readers together.",
        default="60/minute;1200/hour",
    )
    redis_url: str = _setting(
        "`redis://…`, `rediss://…` or `unix://…`; limits then count for all processes together.",
        default="",
        shown="memory of each process",
    )
    cache_mb: int = _setting(
        "Memory for cached pages, in MB per process; 0 renders a page for every request.",
        default="24",
    )
    cdn_seconds: int = _setting(
        "Seconds for which a CDN may serve a thread's page without asking the service; 0 forbids it.",
        default="0",
    )
    smtp_url: str = _setting(
        "`smtp://user:password@host:587` or `smtps://…:465`: the server that sends our mail.",
        default="",
        shown="no mail is sent",
    )
    mail_from: str = _setting(
        "The address that mail comes from.", default="", shown="`comments@` the host of the base URL"
    )
    alert_mail: tuple[str, ...] = _setting(
        "Addresses, separated by commas, that get one mail when a surge of comments begins.",
        default="",
        shown="nobody",
    )
    mail_per_hour: int = _setting(
        "Mails to subscribers in an hour; more wait.",
        default="1000",
    )
    digest_hour: int = _setting("The hour, in UTC from 0 to 23, at which daily mails are sent.", default="6")
    private_articles: bool = _setting(
        "`on` also reads article titles at private addresses, for a blog in the same network.",
        default="off",
    )
    private_endpoints: tuple[str, ...] = _setting(
        "Origins in your own network that webhooks and chat messages may reach, such as `http://ntfy.lan:8080`, "
        "separated by commas.",
        default="",
        shown="none",
    )
    keep_network_days: int = _setting(
        "Days for which the hash of a comment's network is kept; 0: as long as the comment.",
        default="90",
    )
    keep_email_days: int = _setting(
        "Days for which a guest's e-mail address is kept with a comment; 0: as long as the comment.",
        default="0",
    )
    keep_spam_days: int = _setting("Days after which spam is deleted; 0 keeps it.", default="30")
    keep_trash_days: int = _setting(
        "Days after which comments in the trash are deleted; 0 keeps them.", default="30"
    )
    keep_consent_days: int = _setting(
        "Days for which the record of an ended subscription is kept, without its address; 0 keeps it.",
        default="1095",
    )
    backup_dir: str = _setting(
        "The directory in which a backup is made and proved each day: see docs/backups.md.",
        default="",
        shown="no backups",
    )
    log_level: str = _setting("`DEBUG`, `INFO`, `WARNING` or `ERROR`.", default="INFO")
    log_format: str = _setting(
        "`text`, or `json`: each line of both logs is a JSON object, with the request's id.", default="text"
    )
    metrics_token: str = _setting(
        "The token with which Prometheus reads `/metrics`; 20 to 200 random characters.",
        default="",
        shown="no metrics",
    )
    bluesky_url: str = _setting(
        "The AppView from which answers on Bluesky are read.", default="https://public.api.bsky.app"
    )
    mastodon: bool = _setting("`on` lets people of any Mastodon instance log in.", default="off")
    mastodon_tokens: tuple[tuple[str, str], ...] = _setting(
        "Access tokens (scope `read:statuses`) for servers that show answers to an article's post only with one, as "
        "`social.example=YOUR_TOKEN`, separated by commas.",
        default="",
        shown="none",
    )
    providers_order: tuple[str, ...] = _setting(
        "Login providers in the order of their buttons, such as `github, google, mycompany`; others follow.",
        default="",
        shown="the order of the variables",
    )
    providers: tuple[ProviderSettings, ...] = ()
    """From the `COMMENTSVC_<PROVIDER>_…` variables, in their order."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings from a mapping such as `os.environ`.

        Raises SettingsError with every fault, including unknown `COMMENTSVC_*` names.
        """
        faults: list[str] = []
        known = {item.name: item for item in fields(cls) if "doc" in item.metadata}
        others = [
            name
            for name, value in environ.items()
            if name.startswith(PREFIX)
            and _setting_of(name) not in known
            and not _is_orchestrator(name, value)
        ]
        providers = _read_providers({name: environ[name].strip() for name in others}, faults)
        values: dict[str, Any] = {"providers": providers}
        for name, item in known.items():
            variable = PREFIX + name.upper()
            text = environ.get(variable, "").strip() or item.metadata["default"]
            if text is None:
                faults.append(f"{variable} is not set. {item.metadata['doc']}")
                continue
            try:
                values[name] = READERS.get(name, str)(text)
            except ValueError as error:
                faults.append(f"{variable}: {error}")
        if faults:
            raise SettingsError(faults)
        values["database_url"] = database_in(values["data_dir"], values["database_url"])
        return cls(**values)

    @cached_property
    def origin(self) -> str:
        """The origin of the base URL, as browsers send it."""
        return origin_of(self.base_url)

    @cached_property
    def base_path(self) -> str:
        """The path of the base URL, such as `/comments`; empty if the service has a host of its own."""
        return self.base_url.removeprefix(self.origin)

    @property
    def ledger_dir(self) -> Path:
        """The directory of the ledger of erasures: that of the backups, if there is one."""
        return Path(self.backup_dir) if self.backup_dir else self.data_dir

    @property
    def host(self) -> str:
        """The host of the base URL, with its port if it has one, as pages show it."""
        return self.origin.partition("://")[2]

    @property
    def sender(self) -> str:
        """The sender address of mail."""
        return self.mail_from or f"comments@{urlsplit(self.base_url).hostname}"

    @property
    def alerted(self) -> tuple[str, ...]:
        """The addresses that get a mail when a surge begins; empty if no mail is sent."""
        return self.alert_mail if self.smtp_url else ()

    @property
    def secure(self) -> bool:
        """Whether browsers reach the service by https, so that its cookies can be `Secure`."""
        return self.base_url.startswith("https://")


def _is_orchestrator(variable: str, value: str) -> bool:
    """Whether Kubernetes or a Docker link has set this, for a service named commentsvc or commentsvc-something.

    Its value must be what they write, so that a setting with a wrong name is still a fault.
    """
    return any(name.fullmatch(variable) and text.fullmatch(value) for name, text in _ORCHESTRATOR)


def _setting_of(variable: str) -> str:
    return variable.removeprefix(PREFIX).lower()


def _read_providers(variables: Mapping[str, str], faults: list[str]) -> tuple[ProviderSettings, ...]:
    """Group the providers' variables by provider; all other names are faults."""
    parts_by_key: dict[str, dict[str, str]] = {}
    for variable, value in variables.items():
        match = _PROVIDER_VARIABLE.fullmatch(variable.removeprefix(PREFIX))
        if match is None:
            faults.append(f"{variable} is not a setting of this version.")
        elif value:
            parts_by_key.setdefault(match["key"].lower(), {})[match["part"].lower()] = value
    providers = []
    for key, parts in parts_by_key.items():
        needed = ["client_id"] if parts.get("private_key") else ["client_id", "client_secret"]
        missing = [part for part in needed if part not in parts]
        for part in missing:
            instead = f", nor {', '.join(APPLE_KEY)}" if (key, part) == ("apple", "client_secret") else ""
            faults.append(f"{PREFIX}{key.upper()}_{part.upper()} is not set{instead}.")
        if not missing:
            options = tuple((name, value) for name, value in parts.items() if name in _PROVIDER_OPTIONS)
            plain = {name: value for name, value in parts.items() if name not in _PROVIDER_OPTIONS}
            providers.append(ProviderSettings(key=key, options=options, **plain))
    return tuple(providers)
