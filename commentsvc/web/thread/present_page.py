"""Compares the frame's thread with the page around it, which may move on to another article without a reload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from flask import render_template

from commentsvc.domain.spam.checks import FASTEST_SECONDS
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import BadAddressError, OtherArticleError, UnknownOriginError
from commentsvc.web import access, page_language
from commentsvc.web.context import database
from commentsvc.web.thread_request import EMBED, ThreadRequest

NAME_LONGEST = 120


@dataclass(frozen=True)
class PresentPage:
    """The article that a page shows now, according to embed.js."""

    thread_request: ThreadRequest
    address: ThreadAddress
    title: str


def other_article(shown: ThreadAddress, values: Mapping[str, str]) -> PresentPage | None:
    """Return the article that the page shows now if it has another thread than `shown`, else None.

    `values` are form fields or URL parameters; they contain `page_url` only if the thread was derived from the page's
    URL. A website that is not registered (a translation proxy, an archive) returns None.
    """
    url = values.get("page_url", "")
    if not url or values.get("id"):
        return None
    language = {page_language.PARAMETER: values.get(page_language.PARAMETER, "")}
    thread_request = ThreadRequest.read(
        EMBED, {"url": url, "canonical": values.get("page_canonical", ""), **language}
    )
    try:
        address = thread_request.address()
    except (BadAddressError, UnknownOriginError):
        return None
    if threads.is_same(database(), shown, address):
        return None
    return PresentPage(thread_request, address, values.get("page_title", ""))


def require_same_article(shown: ThreadAddress, values: Mapping[str, str]) -> None:
    """Raise OtherArticleError if the page now shows an article with another thread than `shown`."""
    if other_article(shown, values):
        raise OtherArticleError


def choice(shown: ThreadAddress, values: Mapping[str, str], form: access.ShownForm | None) -> str:
    """Render the question which of the two articles a comment belongs to; empty if they are the same again."""
    present = other_article(shown, values)
    if present is None:
        return ""
    here, there = _name(values.get("title", ""), shown), _name(present.title, present.address)
    if here == there:
        here, there = _name("", shown), _name("", present.address)
    # Somebody who has written for a while was not "too fast", although the other thread's form is new.
    slow = access.seconds_on_form(form) >= FASTEST_SECONDS
    token = access.form_token(present.address, mark=form.mark if form else "", again=slow)
    return render_template(
        "thread/other_article.html",
        here=here,
        there=there,
        thread_request=present.thread_request,
        token=token,
    )


def _name(title: str, address: ThreadAddress) -> str:
    """Return a short name of an article: its title, or else its path."""
    parts = urlsplit(address.url)
    path = unquote(parts.path) + (f"?{unquote(parts.query)}" if parts.query else "")
    name = " ".join(title.split()) or path
    return name if len(name) <= NAME_LONGEST else f"{name[: NAME_LONGEST - 1]}…"
