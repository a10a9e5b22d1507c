"""Asks Akismet about a comment, before any transaction, where the owner wants it."""

from __future__ import annotations

from datetime import datetime

from commentsvc.domain.spam.checks import Verdict
from commentsvc.http_client.client import fetch as outbound_fetch
from commentsvc.integrations import akismet
from commentsvc.integrations.akismet import Fetch, Opinion, Question
from commentsvc.models import Status

_VERDICTS = {
    Opinion.HAM: Verdict("akismet", Status.APPROVED, "Akismet does not take it for spam."),
    Opinion.SPAM: Verdict("akismet", Status.HELD, "Akismet takes it for spam."),
    Opinion.BLATANT: Verdict("akismet", Status.SPAM, "Akismet is sure that it is spam."),
}


def is_known_to_akismet(key: str, blog: str, *, fetch: Fetch = outbound_fetch) -> bool | None:
    """Return whether Akismet takes a key; None where it could not be asked. Waits for the network."""
    return akismet.verify(key, blog, fetch=fetch)


def of_akismet(
    key: str,
    blog: str,
    permalink: str,
    *,
    text: str,
    client: str | None,
    browser: str,
    at: datetime,
    name: str | None,
    email: str | None,
    website: str | None,
    is_reply: bool,
    fetch: Fetch = outbound_fetch,
    is_test: bool = False,
) -> tuple[Verdict, ...]:
    """Return Akismet's verdict; none without the writer's address or without a good answer."""
    if client is None:
        return ()
    question = Question(
        blog=blog,
        permalink=permalink,
        text=text,
        address=client,
        browser=browser,
        at=at,
        name=name,
        email=email,
        website=website,
        is_reply=is_reply,
    )
    opinion = akismet.ask(key, question, fetch=fetch, is_test=is_test)
    return (_VERDICTS[opinion],) if opinion else ()
