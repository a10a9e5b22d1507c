"""Reads the statuses (posts) that a server with Mastodon's API sends. Every text in them is a stranger's, unchanged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import urlsplit

ADDRESS_LONGEST = 1000
HTML_LONGEST = 100_000
"""Characters of a post's HTML; a longer post is left out."""
_NAME_LONGEST = 500
_WARNING_LONGEST = 500
_MOST_FILES = 8
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_HANDLE = re.compile(r"[\w.-]{1,100}(?:@[^\s@/]{1,253})?")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_SENSITIVE = "Sensitive content"
_FILES = {"image": "Picture", "gifv": "Animation", "video": "Video", "audio": "Sound"}
# Mastodon shortens the text of a link by hiding its beginning and its end.
_HIDDEN = re.compile(r'<span class="invisible">[^<]*</span>', re.IGNORECASE)
_SHORTENED = re.compile(r'<span class="ellipsis">([^<]*)</span>', re.IGNORECASE)
_MISSING_PICTURE = "/missing.png"


@dataclass(frozen=True)
class MastodonStatus:
    """A post as its server sent it."""

    id: str
    """Valid only on the server that sent it."""
    uri: str
    """Its one address on all servers."""
    url: str
    answered_id: str | None
    html: str = field(repr=False)
    """Untrusted HTML."""
    content_warning: str
    visibility: str
    is_shown: bool
    """False for what its server shows only to some: posts of its own members, people it has limited."""
    published_at: datetime
    edited_at: datetime | None
    language: str
    author_name: str
    """Plain text; custom emoji are `:names:` in it."""
    author_handle: str
    """`user@server`."""
    author_url: str
    picture_url: str | None
    is_bot: bool
    noindex: bool
    likes: int
    boosts: int


def status_of(value: object, server: str) -> MastodonStatus | None:
    """Return the post in a part of an answer from the host `server`; None if it is none, or only a boost."""
    if not isinstance(value, Mapping) or value.get("reblog"):
        return None
    account = value.get("account")
    published_at = _time(value.get("created_at"))
    status_id, uri = _text(value.get("id"), 64), _address(value.get("uri"))
    if not isinstance(account, Mapping) or not (published_at and uri and _ID.fullmatch(status_id)):
        return None
    html = _html(value)
    handle = _handle(account, server)
    if len(html) > HTML_LONGEST or not handle:
        return None
    return MastodonStatus(
        id=status_id,
        uri=uri,
        url=_address(value.get("url")) or uri,
        answered_id=_text(value.get("in_reply_to_id"), 64) or None,
        html=html,
        content_warning=_warning(value),
        visibility=_text(value.get("visibility"), 20),
        is_shown=not any((value.get("local_only"), account.get("limited"), account.get("suspended"))),
        published_at=published_at,
        edited_at=_time(value.get("edited_at")),
        language=_language(value.get("language")),
        author_name=_text(account.get("display_name"), _NAME_LONGEST).strip() or handle.partition("@")[0],
        author_handle=handle,
        author_url=_address(account.get("url")),
        picture_url=_picture(account),
        is_bot=account.get("bot") is True,
        noindex=account.get("noindex") is True,
        likes=_count(value.get("favourites_count")),
        boosts=_count(value.get("reblogs_count")),
    )


def _html(value: Mapping[str, Any]) -> str:
    """Return a post's text with the links to its files, which some posts consist of."""
    content = value.get("content")
    html = _HIDDEN.sub("", content) if isinstance(content, str) else ""
    html = _SHORTENED.sub(r"\1…", html)
    files = value.get("media_attachments")
    for file in files[:_MOST_FILES] if isinstance(files, list) else ():
        if isinstance(file, Mapping) and (address := _address(file.get("url"))):
            kind = _FILES.get(_text(file.get("type"), 20), "File")
            described = _text(file.get("description"), 1500).strip()
            words = f"{kind}: {described}" if described else kind
            html += f'<p><a href="{escape(address)}">{escape(words)}</a></p>'
    return html


def _warning(value: Mapping[str, Any]) -> str:
    warning = _text(value.get("spoiler_text"), _WARNING_LONGEST).strip()
    return warning or (_SENSITIVE if value.get("sensitive") is True else "")


def _handle(account: Mapping[str, Any], server: str) -> str:
    handle = _text(account.get("acct"), 400)
    if not _HANDLE.fullmatch(handle):
        return ""
    return handle if "@" in handle else f"{handle}@{server}"


def _picture(account: Mapping[str, Any]) -> str | None:
    """Return the address of a picture that does not move; None for a server's placeholder."""
    address = _address(account.get("avatar_static")) or _address(account.get("avatar"))
    return None if urlsplit(address).path.endswith(_MISSING_PICTURE) else address or None


def _address(value: object) -> str:
    """Return a web address, or an empty string."""
    address = value if isinstance(value, str) and len(value) <= ADDRESS_LONGEST else ""
    with suppress(ValueError):
        parts = urlsplit(address)
        is_plain = address.isprintable() and not any(char in address for char in " <>\"'\\")
        if parts.scheme in {"http", "https"} and parts.hostname and is_plain and "@" not in parts.netloc:
            return address
    return ""


def _language(value: object) -> str:
    language = _text(value, 30)
    return language.replace("_", "-") if _LANGUAGE.fullmatch(language) else ""


def _text(value: object, longest: int) -> str:
    return value[:longest] if isinstance(value, str) else ""


def _count(value: object) -> int:
    return min(value, 10**9) if isinstance(value, int) and value > 0 else 0


def _time(value: object) -> datetime | None:
    """Return a time in UTC; None if there is none, or if no database can store it."""
    with suppress(ValueError, OverflowError):
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        if time is not None:
            time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
            return time if 2000 <= time.year < 2200 else None
    return None
