"""Akismet: a service that knows much of the spam of the day. Asked only where a site's owner gave a key."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlencode

from commentsvc.errors import OutboundError
from commentsvc.http_client import client
from commentsvc.http_client.client import HttpResponse

log = logging.getLogger(__name__)

ADDRESS = "https://rest.akismet.com/1.1/comment-check"
KEYS_ADDRESS = "https://rest.akismet.com/1.1/verify-key"
SECONDS = 4.0
"""Somebody waits for their comment to be taken; without an answer it goes on without one."""
LARGEST = 4_096
LONGEST_TEXT = 60_000
_TEXT = frozenset({"text/"})

Fetch = Callable[..., HttpResponse]


class Opinion(StrEnum):
    """What Akismet says of a comment."""

    HAM = "ham"
    SPAM = "spam"
    BLATANT = "blatant"
    """So surely spam that Akismet would have it thrown away unseen."""


@dataclass(frozen=True)
class Question:
    """A comment, with all that Akismet wants to know of it."""

    blog: str
    """The site's address."""
    permalink: str
    text: str
    address: str
    """Of whoever wrote it."""
    browser: str
    at: datetime
    name: str | None = None
    email: str | None = None
    website: str | None = None
    is_reply: bool = False


def ask(
    key: str, question: Question, *, fetch: Fetch = client.fetch, is_test: bool = False
) -> Opinion | None:
    """Return what Akismet says, None where it gives no good answer: a fault of theirs holds nobody up."""
    answer = _asked(fetch, ADDRESS, _body(key, question, is_test=is_test))
    if answer is None:
        return None
    word = answer.body.strip().lower()
    if answer.status == 200 and word == b"false":
        return Opinion.HAM
    if answer.status == 200 and word == b"true":
        return Opinion.BLATANT if answer.headers.get("x-akismet-pro-tip") == "discard" else Opinion.SPAM
    # `invalid` is the answer to a wrong key.
    log.warning("Akismet gave no opinion: status %d, %r", answer.status, word[:40])
    return None


def verify(key: str, blog: str, *, fetch: Fetch = client.fetch) -> bool | None:
    """Return whether a key is good for a site's address; None where Akismet does not say."""
    answer = _asked(fetch, KEYS_ADDRESS, urlencode({"api_key": key, "blog": blog}).encode())
    if answer is None:
        return None
    word = answer.body.strip().lower()
    if answer.status == 200 and word in {b"valid", b"invalid"}:
        return word == b"valid"
    log.warning("Akismet said nothing of a key: status %d, %r", answer.status, word[:40])
    return None


def _asked(fetch: Fetch, address: str, data: bytes) -> HttpResponse | None:
    try:
        return fetch(
            address,
            method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
            data=data,
            accept=_TEXT,
            largest=LARGEST,
            seconds=SECONDS,
            redirects=0,
        )
    except OutboundError as error:
        log.warning("Akismet was not reached: %s", error)
        return None


def _body(key: str, question: Question, *, is_test: bool) -> bytes:
    told = {
        "api_key": key,
        "blog": question.blog,
        "permalink": question.permalink,
        "user_ip": question.address,
        "user_agent": question.browser[:500],
        "comment_type": "reply" if question.is_reply else "comment",
        "comment_content": question.text[:LONGEST_TEXT],
        "comment_author": question.name or "",
        "comment_author_email": question.email or "",
        "comment_author_url": question.website or "",
        "comment_date_gmt": question.at.isoformat(timespec="seconds"),
        "blog_charset": "UTF-8",
        "is_test": "1" if is_test else "",
    }
    return urlencode({name: value for name, value in told.items() if value}).encode()
