"""Reads the address of a post on a server with Mastodon's API.

A post is named by its address on its author's own server, because only that server knows all answers to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from commentsvc.errors import BadAddressError
from commentsvc.origins import origin_of

_USER = r"[\w.-]{1,100}"
_ULID = r"[0-9A-Z]{26}"
_POST_PATH = re.compile(
    rf"/(?:(?:web|deck)/)?@{_USER}/(\d{{1,20}})"  # Mastodon and its forks
    rf"|/users/{_USER}/statuses/(\d{{1,20}}|{_ULID})"
    rf"|/ap/users/\d{{1,20}}/statuses/(\d{{1,20}})"
    rf"|/@{_USER}/statuses/({_ULID})"  # GoToSocial
    rf"|/@{_USER}/posts/([0-9A-Za-z]{{18}})"  # Soapbox
    r"|/notice/([0-9A-Za-z]{18})"  # Pleroma and Akkoma
    r"|/notes/([0-9a-z]{10,32})"  # Sharkey and Iceshrimp
    r"|/post/([0-9a-f]{8}-[0-9a-f-]{27})"  # Mitra
    rf"|/p/{_USER}/(\d{{1,20}})",  # Pixelfed
    re.ASCII,
)


@dataclass(frozen=True)
class PostAddress:
    """A post on its author's server."""

    origin: str
    path: str
    id: str

    @property
    def page(self) -> str:
        """The address that people open."""
        return self.origin + self.path

    @property
    def host(self) -> str:
        return urlsplit(self.origin).hostname or ""

    @property
    def api(self) -> str:
        """The post's address in the API."""
        return f"{self.origin}/api/v1/statuses/{self.id}"


def address_of(url: str) -> PostAddress | None:
    """Return the post that an address names; None if it is no post on a server with Mastodon's API.

    `https://server/@user@other/…` is a copy of a post, and so is none.
    """
    try:
        parts = urlsplit(url.strip())
        origin = origin_of(f"{parts.scheme}://{parts.netloc}/")
        path = unquote(parts.path).removesuffix("/")
    except (ValueError, BadAddressError):
        return None
    match = _POST_PATH.fullmatch(path)
    if match is None or parts.scheme != "https":
        return None
    return PostAddress(origin, path, next(filter(None, match.groups())))
