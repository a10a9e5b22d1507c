"""Who writes a comment, as bans, checks and the comment's row know them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from commentsvc.domain.fields import Guest
from commentsvc.models import Role

HashInMonth = Callable[[str], str]
"""Returns the hash that a network has in a month such as 2026-11."""


@dataclass(frozen=True)
class Author:
    """A guest, or somebody with an account and a role or none. Hashes are 64 hexadecimal digits."""

    guest: Guest = field(default_factory=Guest)
    commenter_id: int | None = None
    role: Role | None = None
    author_key_hash: str | None = None
    network_hash: str | None = None
    """Of the month in which they write."""
    network_hash_in: HashInMonth | None = None
    """A network's hash changes every month; this gives it for earlier ones."""
    client_ip: str | None = None
    """Compared with bans and lists, never stored."""
