"""What a view says of an answer that may be given to everybody: how long the page cache may keep it."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from commentsvc.domain.threads.versions import VersionStamp

ENVIRON = "commentsvc.keep"


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """How long an answer stays right."""

    stamp: VersionStamp | None = None
    """While the database has this state; None for what no change of the database concerns."""
    seconds: float = float("inf")
    """At most."""
    varying_token: bytes = b""
    """What differs each time without a meaning to the reader, such as a form's token."""
    permanent: bool = False
    """Whether it stays for the life of the process, so that it is worth compressing well."""


def mark_cacheable(what: CachePolicy) -> None:
    """Let this request's answer, if it is a 200, be given to all who ask the same."""
    request.environ[ENVIRON] = what
