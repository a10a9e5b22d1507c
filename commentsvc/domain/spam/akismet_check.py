"""Asks Akismet about a comment, outside any transaction, if the owner has turned it on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from commentsvc.domain.authors import Author
from commentsvc.domain.spam.check_names import CheckName
from commentsvc.domain.spam.checks import Verdict
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.http_client.client import fetch as outbound_fetch
from commentsvc.integrations import akismet
from commentsvc.integrations.akismet import Fetch, Opinion, Question
from commentsvc.messages import gettext_noop
from commentsvc.models import Status

_VERDICTS = {
    Opinion.HAM: Verdict(
        CheckName.AKISMET, Status.APPROVED, gettext_noop("Akismet does not consider it spam.")
    ),
    Opinion.SPAM: Verdict(CheckName.AKISMET, Status.HELD, gettext_noop("Akismet considers it spam.")),
    Opinion.BLATANT: Verdict(
        CheckName.AKISMET, Status.SPAM, gettext_noop("Akismet is sure that it is spam.")
    ),
}


def is_known_to_akismet(key: str, blog: str, *, fetch: Fetch = outbound_fetch) -> bool | None:
    """Return whether Akismet accepts a key; None if it could not be asked. Blocks on the network."""
    return akismet.verify(key, blog, fetch=fetch)


def question_about(
    address: ThreadAddress,
    source: str,
    author: Author,
    words: Mapping[str, str | None],
    *,
    browser: str,
    is_reply: bool,
    at: datetime,
) -> Question | None:
    """Return the question to Akismet about a new comment; None if the client's IP address is unknown.

    `words` are those of its Signals, with the name and website that readers will see. Reads the site's origins.
    """
    if author.client_ip is None:
        return None
    return Question(
        blog=address.site.origins[0].origin,
        permalink=address.url,
        text=source,
        address=author.client_ip,
        browser=browser,
        at=at,
        name=words.get("name"),
        email=author.guest.email,
        website=words.get("website"),
        is_reply=is_reply,
    )


def of_akismet(key: str, question: Question, *, fetch: Fetch = outbound_fetch) -> tuple[Verdict, ...]:
    """Return Akismet's verdict; empty without a valid response. Blocks on the network."""
    opinion = akismet.ask(key, question, fetch=fetch)
    return (_VERDICTS[opinion],) if opinion else ()
