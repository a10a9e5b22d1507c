"""The author of a comment, for bans, checks and the comment's row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from commentsvc.domain.fields import Guest
from commentsvc.domain.proofs.address_proofs import AuthorHashes
from commentsvc.models import Role

HashInMonth = Callable[[str], str]
"""Returns a network's hash in a month such as 2026-11."""


@dataclass(frozen=True)
class Author:
    """A guest or an account, with the role on the site if any. Hashes are 64 hexadecimal digits."""

    guest: Guest = field(default_factory=Guest)
    commenter_id: int | None = None
    role: Role | None = None
    author_key_hash: str | None = None
    network_hash: str | None = None
    """For the current month."""
    network_hash_in: HashInMonth | None = None
    """Returns the hash for earlier months: a network's hash changes every month."""
    proof_hashes: AuthorHashes | None = None
    """Compared with proofs of addresses; None: no proof is looked up."""
    client_ip: str | None = None
    """Compared with bans and word lists, never stored."""

    @property
    def person(self) -> str | None:
        """A name for the account or browser, under which attempts are counted; None if neither is known."""
        return self.author_key_hash if self.commenter_id is None else f"account {self.commenter_id}"
