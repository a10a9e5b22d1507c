"""How a view marks its response as cacheable, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from commentsvc.domain.threads.versions import VersionStamp

ENVIRON = "commentsvc.keep"


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """How long a response stays valid."""

    stamp: VersionStamp | None = None
    """The database state that it was rendered from; None if it does not depend on the database."""
    seconds: float = float("inf")
    """The longest time that it is served."""
    varying_token: bytes = b""
    """A part that differs with each rendering and does not matter to the reader, such as a form's token."""
    permanent: bool = False
    """Whether it stays for the life of the process, so that the best compression is worth its time."""


def mark_cacheable(policy: CachePolicy) -> None:
    """Allow the cache to serve this response, if it is a 200, to everybody."""
    request.environ[ENVIRON] = policy
