"""The service's settings: read once from a mapping, frozen, every fault reported together."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from commentsvc.errors import SettingsError

PREFIX = "COMMENTSVC_"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}")
_WEAK_SECRETS = re.compile(r"^(change|secret|password|default|example|dev|test)", re.IGNORECASE)


def _setting(doc: str, *, default: str | None, shown: str | None = None) -> Any:
    """Declare a setting: `default` is the text read when the variable is absent, None where it is required."""
    return field(metadata={"doc": doc, "default": default, "shown": shown})


@dataclass(frozen=True)
class ProviderSettings:
    """One login provider's variables: `COMMENTSVC_<KEY>_CLIENT_ID` and what goes with it."""

    key: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    issuer: str = ""
    label: str = ""
    scope: str = ""
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)


_PROVIDER_VARIABLE = re.compile(
    r"(?P<key>[A-Z][A-Z0-9_]*?)_"
    r"(?P<part>CLIENT_ID|CLIENT_SECRET|ISSUER|LABEL|SCOPE|TEAM_ID|KEY_ID|PRIVATE_KEY)"
)
_PROVIDER_OPTIONS = frozenset({"team_id", "key_id", "private_key"})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the operator decides. Field names are the variables' names without the prefix, in lower case."""

    secret_key: str = _setting(
        "Signs forms and hashes tokens. At least 32 characters; `commentsvc init` makes one.", default=None
    )
    base_url: str = _setting(
        "The service's own origin as browsers see it, such as `https://comments.example`.", default=None
    )
    data_dir: Path = _setting("Where the SQLite file and `settings.env` live.", default="instance")
    database_url: str = _setting(
        "`sqlite:///…` or `postgresql://…`.", default="", shown="SQLite file in the data directory"
    )
    trusted_proxies: tuple[Network, ...] = _setting(
        "Networks whose `X-Forwarded-For` is believed, separated by commas.", default="", shown="none"
    )
    max_comment_length: int = _setting("Characters in one comment.", default="10000")
    post_limit: str = _setting(
        "Comments from one network (IPv4 /24, IPv6 /48), as `N/period;N/period`.",
        default="10/minute;120/hour",
    )
    person_limit: str = _setting(
        "Comments from one person: an account, or a guest's browser.", default="6/minute;60/hour"
    )
    thread_limit: str = _setting("Comments in one thread, by all its readers.", default="60/minute;1200/hour")
    redis_url: str = _setting(
        "`redis://…`, `rediss://…` or `unix://…`: limits then count for all processes together.",
        default="",
        shown="memory of each process",
    )
    cache_mb: int = _setting(
        "Memory of each process for pages that are ready to be given out, in MB; 0 renders every page anew.",
        default="24",
    )
    cdn_seconds: int = _setting(
        "Seconds for which a CDN in front may give out a thread's page without asking; 0 lets it keep none.",
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
        "Addresses, separated by commas, that are told once when comments pour in.",
        default="",
        shown="nobody",
    )
    log_level: str = _setting("`DEBUG`, `INFO`, `WARNING` or `ERROR`.", default="INFO")
    mastodon: bool = _setting("`on` lets people of any Mastodon instance log in.", default="off")
    providers: tuple[ProviderSettings, ...] = ()
    """From the `COMMENTSVC_<PROVIDER>_…` variables, in the order in which they are offered."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings from a mapping such as `os.environ`.

        Raises SettingsError with every fault found, unknown `COMMENTSVC_*` names among them.
        """
        faults: list[str] = []
        known = {item.name: item for item in fields(cls) if "doc" in item.metadata}
        others = [name for name in environ if name.startswith(PREFIX) and _setting_of(name) not in known]
        providers = _read_providers({name: environ[name].strip() for name in others}, faults)
        values: dict[str, Any] = {"providers": providers}
        for name, item in known.items():
            variable = PREFIX + name.upper()
            text = environ.get(variable, "").strip() or item.metadata["default"]
            if text is None:
                faults.append(f"{variable} is not set. {item.metadata['doc']}")
                continue
            try:
                values[name] = _READERS.get(name, str)(text)
            except ValueError as error:
                faults.append(f"{variable}: {error}")
        if faults:
            raise SettingsError(faults)
        if not values["database_url"]:
            values["database_url"] = f"sqlite:///{values['data_dir'] / 'comments.sqlite'}"
        return cls(**values)

    @property
    def sender(self) -> str:
        """The address that mail comes from."""
        return self.mail_from or f"comments@{urlsplit(self.base_url).hostname}"

    @property
    def alerted(self) -> tuple[str, ...]:
        """Who is told when comments pour in; nobody where no mail is sent."""
        return self.alert_mail if self.smtp_url else ()

    @property
    def secure(self) -> bool:
        """Whether browsers reach the service by https, so that cookies can be `Secure`."""
        return self.base_url.startswith("https://")


def _setting_of(variable: str) -> str:
    return variable.removeprefix(PREFIX).lower()


def _read_providers(variables: Mapping[str, str], faults: list[str]) -> tuple[ProviderSettings, ...]:
    """Gather the providers' variables, by provider; names that are none of theirs are faults."""
    found: dict[str, dict[str, str]] = {}
    for variable, value in variables.items():
        match = _PROVIDER_VARIABLE.fullmatch(variable.removeprefix(PREFIX))
        if match is None:
            faults.append(f"{variable} is not a setting of this version.")
        elif value:
            found.setdefault(match["key"].lower(), {})[match["part"].lower()] = value
    providers = []
    for key, parts in found.items():
        needed = ["client_id"] if parts.get("private_key") else ["client_id", "client_secret"]
        missing = [part for part in needed if part not in parts]
        faults.extend(f"{PREFIX}{key.upper()}_{part.upper()} is not set." for part in missing)
        if not missing:
            options = tuple((name, value) for name, value in parts.items() if name in _PROVIDER_OPTIONS)
            plain = {name: value for name, value in parts.items() if name not in _PROVIDER_OPTIONS}
            providers.append(ProviderSettings(key=key, options=options, **plain))
    return tuple(providers)


def _read_switch(text: str) -> bool:
    if text.lower() not in {"on", "off", "true", "false", "1", "0", "yes", "no"}:
        raise ValueError(f"{text!r} is neither on nor off")
    return text.lower() in {"on", "true", "1", "yes"}


def _read_secret(text: str) -> str:
    if len(text) < 32 or len(set(text)) < 8 or _WEAK_SECRETS.match(text):
        raise ValueError("must be at least 32 random characters. `commentsvc init` makes one.")
    return text


def _read_base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError(f"{text!r} is not an origin such as https://comments.example (no path).")
    if parts.query or parts.fragment or parts.username:
        raise ValueError(f"{text!r} must have no user, query or fragment.")
    usual = {"http": ":80", "https": ":443"}[parts.scheme]
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(usual)}"  # as browsers write an Origin


def _read_database_url(text: str) -> str:
    if not text:
        return ""
    scheme = text.partition(":")[0]
    if scheme in {"postgres", "postgresql"}:
        return "postgresql+psycopg" + text[len(scheme) :]
    if scheme not in {"sqlite", "postgresql+psycopg"}:
        raise ValueError(f"databases of kind {scheme!r} are not known; use sqlite:/// or postgresql://")
    return text


def _read_networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def _read_data_dir(text: str) -> Path:
    return Path(text).absolute()


def _read_length(text: str) -> int:
    value = int(text)
    if not 100 <= value <= 100_000:
        raise ValueError("must be between 100 and 100000.")
    return value


def _read_cache(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65_536:
        raise ValueError("must be between 0 and 65536.")
    return value


def _read_cdn(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 86_400:
        raise ValueError("must be between 0 and 86400.")
    return value


def _read_limit(text: str) -> str:
    if not re.fullmatch(r"\d+/(second|minute|hour|day)(;\d+/(second|minute|hour|day))*", text):
        raise ValueError(f"{text!r} does not read like 10/minute;120/hour")
    return text


def _read_redis_url(text: str) -> str:
    parts = urlsplit(text)
    if text and not (
        parts.netloc if parts.scheme in {"redis", "rediss"} else parts.scheme == "unix" and parts.path
    ):
        raise ValueError("must be redis://host:port/number, rediss://… or unix:///path/to/socket.")
    return text


def _read_smtp_url(text: str) -> str:
    parts = urlsplit(text)
    odd = parts.path not in {"", "/"} or parts.query or parts.fragment
    if text and (parts.scheme not in {"smtp", "smtps"} or not parts.hostname or odd or parts.port == 0):
        raise ValueError("must be smtp://user:password@host:port or smtps://…")
    if parts.password and not parts.username:
        raise ValueError("has a password but no user.")
    return text


def _read_address(text: str) -> str:
    if text and not _MAIL_ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not an e-mail address such as comments@blog.example")
    return text


def _read_addresses(text: str) -> tuple[str, ...]:
    return tuple(_read_address(part.strip()) for part in text.split(",") if part.strip())


def _read_log_level(text: str) -> str:
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError(f"{text!r} is not DEBUG, INFO, WARNING or ERROR")
    return text.upper()


_READERS: dict[str, Callable[[str], Any]] = {
    "secret_key": _read_secret,
    "base_url": _read_base_url,
    "database_url": _read_database_url,
    "trusted_proxies": _read_networks,
    "data_dir": _read_data_dir,
    "max_comment_length": _read_length,
    "cache_mb": _read_cache,
    "cdn_seconds": _read_cdn,
    "post_limit": _read_limit,
    "person_limit": _read_limit,
    "thread_limit": _read_limit,
    "redis_url": _read_redis_url,
    "smtp_url": _read_smtp_url,
    "mail_from": _read_address,
    "alert_mail": _read_addresses,
    "log_level": _read_log_level,
    "mastodon": _read_switch,
}
