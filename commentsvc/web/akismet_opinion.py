"""Asks Akismet about a text that a reader sent, if the site's owner wants it."""

from __future__ import annotations

from dataclasses import replace

from flask import request

from commentsvc.domain.authors import Author
from commentsvc.domain.spam import akismet_check
from commentsvc.domain.spam.signals import Signals
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.web.context import database, now


def with_opinion(
    signals: Signals, address: ThreadAddress, source: str, author: Author, *, is_reply: bool
) -> Signals:
    """Add Akismet's opinion, if the owner wants it; no transaction stays open meanwhile."""
    key = address.site.akismet_key
    if not key or author.role is not None:
        return signals
    question = akismet_check.question_about(
        address,
        source,
        author,
        signals.words,
        browser=request.user_agent.string,
        is_reply=is_reply,
        at=now(),
    )
    if question is None:
        return signals
    database().close()
    return replace(signals, opinions=akismet_check.of_akismet(key, question))
