"""Parses and validates the text of each setting; a ValueError says what is wrong."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from commentsvc import host_names
from commentsvc.errors import BadAddressError
from commentsvc.origins import origin_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_MAPPED_BITS = 96
"""Length of the IPv6 prefix before an embedded IPv4 address."""

_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}")
_BASE_PATH = re.compile(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
OWN_PATHS = frozenset(
    [
        "account",
        "admin",
        "api",
        "comment",
        "comments.ndjson",
        "counts",
        "doctor",
        "embed",
        "embed.js",
        "feeds",
        "fragment",
        "healthz",
        "latest",
        "latest.js",
        "livez",
        "login",
        "mail",
        "metrics",
        "picture",
        "privacy",
        "readyz",
        "receipt",
        "static",
        "thread",
        "webmention",
    ]
)
"""The first parts of the service's own paths. With one of them as the base, `serving/base_path.py` could not tell
whether a proxy has removed the base."""
_WEAK_SECRETS = re.compile(r"^(change|secret|password|default|example|dev|test)", re.IGNORECASE)
_IN_MEMORY = {"", ":memory:"}


def read_data_dir(text: str) -> Path:
    """Return a directory's absolute path; raises ValueError if the current directory no longer exists."""
    try:
        return Path(text).absolute()
    except FileNotFoundError:
        raise ValueError("the current directory no longer exists; set an absolute path.") from None


def database_in(data_dir: Path, url: str) -> str:
    """Return the database's URL with an absolute path for SQLite; the default is a file in `data_dir`."""
    if not url:
        return _written(URL.create("sqlite", database=str(data_dir / "comments.sqlite")))
    parts = make_url(url)
    if parts.drivername != "sqlite" or "uri" in parts.query:
        return url
    return _written(parts.set(database=str(data_dir / (parts.database or ""))))


def _written(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def _read_switch(text: str) -> bool:
    if text.lower() not in {"on", "off", "true", "false", "1", "0", "yes", "no"}:
        raise ValueError(f"{text!r} is neither on nor off")
    return text.lower() in {"on", "true", "1", "yes"}


def _read_secret(text: str) -> str:
    if len(text) < 32 or len(set(text)) < 8 or _WEAK_SECRETS.match(text):
        raise ValueError("must be at least 32 random characters. `commentsvc init` makes one.")
    return text


def _read_token(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9._~+/=-]{20,200}", text):
        raise ValueError("must be 20 to 200 letters, digits and -._~+/=, made at random.")
    return text


def _read_base_url(text: str) -> str:
    try:
        origin = origin_of(text)
    except BadAddressError:
        raise ValueError(f"{text[:80]!r} is not an address such as https://comments.example") from None
    parts = urlsplit(text)
    path = parts.path.rstrip("/")
    if parts.query or parts.fragment or not _BASE_PATH.fullmatch(path):
        raise ValueError(
            f"{text[:80]!r} must end after the host, or after a path of letters, digits, '-', '_' and '.' "
            "such as https://example.org/comments"
        )
    if path and path.split("/")[1] in OWN_PATHS:
        raise ValueError(f"{path!r} is a path of the service's own pages; use another one, such as /comments")
    return origin + path


def _read_database_url(text: str) -> str:
    if not text:
        return ""
    scheme, _, rest = text.partition(":")
    if scheme in {"postgres", "postgresql"}:
        scheme = "postgresql+psycopg"
    if scheme not in {"sqlite", "postgresql+psycopg"}:
        raise ValueError(f"{scheme!r} is not a supported database; use sqlite:/// or postgresql://")
    try:
        parts = make_url(f"{scheme}:{rest}")
    except (ArgumentError, ValueError):
        raise ValueError(
            "must be postgresql://user:password@host:port/name or sqlite:////path/to/file; "
            "special characters in the password are written as in any URL (@ is %40)."
        ) from None
    if scheme == "sqlite" and (parts.host or (parts.database or "") in _IN_MEMORY):
        raise ValueError("does not name a file; write sqlite:////path/to/comments.sqlite (four slashes).")
    return f"{scheme}:{rest}"


def _read_networks(text: str) -> tuple[Network, ...]:
    return tuple(_network(part.strip()) for part in text.split(",") if part.strip())


def _network(text: str) -> Network:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not an address or a network such as 10.0.0.0/8") from None
    if "/" in text and network.network_address != ipaddress.ip_address(text.partition("/")[0]):
        raise ValueError(f"{text!r} is an address within a network; the network is written {network}")
    return _as_it_comes(network)


def _as_it_comes(network: Network) -> Network:
    """Return an IPv4 network that is written as IPv6 in its IPv4 form, in which addresses are compared."""
    inside = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if inside is None or network.prefixlen < _MAPPED_BITS:
        return network
    return ipaddress.IPv4Network((int(inside), network.prefixlen - _MAPPED_BITS))


def _number(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers between `least` and `most`."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise ValueError(f"{text[:80]!r} is not a number between {least} and {most}.")
        return value

    return read


def _read_limit(text: str) -> str:
    if not re.fullmatch(r"\d+/(second|minute|hour|day)(;\d+/(second|minute|hour|day))*", text):
        raise ValueError(f"{text!r} does not read like 10/minute;120/hour")
    if any(not int(part.partition("/")[0]) for part in text.split(";")):
        raise ValueError(f"{text!r} would let nobody comment; the lowest limit is 1.")
    return text


def _read_redis_url(text: str) -> str:
    parts = _split(text)
    if text and not (
        parts
        and (parts.netloc if parts.scheme in {"redis", "rediss"} else parts.scheme == "unix" and parts.path)
    ):
        raise ValueError("must be redis://host:port/number, rediss://… or unix:///path/to/socket.")
    return text


def _read_smtp_url(text: str) -> str:
    if not text:
        return ""
    parts = _split(text)
    if (
        not parts
        or parts.scheme not in {"smtp", "smtps"}
        or not parts.hostname
        or parts.path not in {"", "/"}
        or parts.query
        or parts.fragment
    ):
        raise ValueError(
            "must be smtp://user:password@host:port or smtps://…; special characters in the password "
            "are written as in any URL (# is %23, / is %2F, @ is %40)."
        )
    if parts.password and not parts.username:
        raise ValueError("has a password but no user.")
    return text


def _split(url: str) -> SplitResult | None:
    """Return a URL's parts; None if they or its port are invalid."""
    try:
        parts = urlsplit(url)
        return None if parts.port == 0 else parts
    except ValueError:
        return None


def _read_address(text: str) -> str:
    if text and not _MAIL_ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not an e-mail address such as comments@blog.example")
    return text


def _read_addresses(text: str) -> tuple[str, ...]:
    return tuple(_read_address(part.strip()) for part in text.split(",") if part.strip())


def _read_origins(text: str) -> tuple[str, ...]:
    return tuple(_read_origin(part.strip()) for part in text.split(",") if part.strip())


def _read_origin(text: str) -> str:
    try:
        origin = origin_of(text)
    except BadAddressError:
        origin = ""
    if not origin or urlsplit(text).path not in {"", "/"} or urlsplit(text).query:
        raise ValueError(f"{text[:80]!r} is not an origin such as http://ntfy.lan:8080")
    return origin


def _read_names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"{twice!r} occurs twice.")
    return names


def _read_log_level(text: str) -> str:
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError(f"{text!r} is not DEBUG, INFO, WARNING or ERROR")
    return text.upper()


def _read_log_format(text: str) -> str:
    if text.lower() not in {"text", "json"}:
        raise ValueError(f"{text!r} is not text or json")
    return text.lower()


READERS: dict[str, Callable[[str], Any]] = {
    "secret_key": _read_secret,
    "base_url": _read_base_url,
    "database_url": _read_database_url,
    "trusted_proxies": _read_networks,
    "data_dir": read_data_dir,
    "max_comment_length": _number(100, 100_000),
    "cache_mb": _number(0, 65_536),
    "cdn_seconds": _number(0, 86_400),
    **dict.fromkeys(
        (f"keep_{what}_days" for what in ("network", "email", "spam", "trash", "consent")), _number(0, 36_500)
    ),
    "mail_per_hour": _number(1, 1_000_000),
    "digest_hour": _number(0, 23),
    "private_articles": _read_switch,
    "private_endpoints": _read_origins,
    "post_limit": _read_limit,
    "person_limit": _read_limit,
    "thread_limit": _read_limit,
    "redis_url": _read_redis_url,
    "smtp_url": _read_smtp_url,
    "mail_from": _read_address,
    "alert_mail": _read_addresses,
    "log_level": _read_log_level,
    "log_format": _read_log_format,
    "metrics_token": _read_token,
    "bluesky_url": _read_origin,
    "mastodon": _read_switch,
    "mastodon_tokens": host_names.with_tokens,
    "providers_order": _read_names,
}
"""The parser of each setting by its name; a setting without one stays text."""
