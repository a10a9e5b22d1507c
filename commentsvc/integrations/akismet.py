"""Akismet, an outside spam filter; used only for sites whose owner entered a key."""

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
"""Timeout, short because the author waits for it; after it the comment is stored without Akismet's opinion."""
LARGEST = 4_096
LONGEST_TEXT = 60_000
_TEXT = frozenset({"text/"})

Fetch = Callable[..., HttpResponse]


class Opinion(StrEnum):
    """Akismet's verdict on a comment."""

    HAM = "ham"
    SPAM = "spam"
    BLATANT = "blatant"
    """So clearly spam that Akismet advises to discard it unread."""


@dataclass(frozen=True)
class Question:
    """A comment with the data that Akismet asks for."""

    blog: str
    """The site's address."""
    permalink: str
    text: str
    address: str
    """The author's IP address."""
    browser: str
    at: datetime
    name: str | None = None
    email: str | None = None
    website: str | None = None
    is_reply: bool = False


def ask(
    key: str, question: Question, *, fetch: Fetch = client.fetch, is_test: bool = False
) -> Opinion | None:
    """Return Akismet's verdict; None without a usable answer, because an outage there must not stop comments here."""
    answer = _asked(fetch, ADDRESS, _body(key, question, is_test=is_test))
    if answer is None:
        return None
    word = answer.body.strip().lower()
    if answer.status == 200 and word == b"false":
        return Opinion.HAM
    if answer.status == 200 and word == b"true":
        return Opinion.BLATANT if answer.headers.get("x-akismet-pro-tip") == "discard" else Opinion.SPAM
    # The answer to a wrong key is `invalid`.
    log.warning("Akismet gave no opinion: status %d, %r", answer.status, word[:40])
    return None


def verify(key: str, blog: str, *, fetch: Fetch = client.fetch) -> bool | None:
    """Return whether a key is valid for a site's address; None without a usable answer."""
    answer = _asked(fetch, KEYS_ADDRESS, urlencode({"api_key": key, "blog": blog}).encode())
    if answer is None:
        return None
    word = answer.body.strip().lower()
    if answer.status == 200 and word in {b"valid", b"invalid"}:
        return word == b"valid"
    log.warning("Akismet did not verify a key: status %d, %r", answer.status, word[:40])
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
        log.warning("Akismet could not be reached: %s", error)
        return None


def _body(key: str, question: Question, *, is_test: bool) -> bytes:
    fields = {
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
    return urlencode({name: value for name, value in fields.items() if value}).encode()
