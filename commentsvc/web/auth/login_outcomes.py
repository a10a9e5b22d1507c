"""How a login can end: the outcome of each error, and the page that shows it.

A page of ours appears whenever a login does not end where it began. It says what happened and what to do, and links
back; every URL is built here, of a registered website or of this service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Response, make_response, render_template, url_for
from sqlalchemy.exc import OperationalError

from commentsvc import errors
from commentsvc.messages import gettext, gettext_noop
from commentsvc.web import error_pages, headers, page_language
from commentsvc.web.auth.login_words import ADVICE, HEADINGS, WHEREVER, LoginOutcome, Purpose
from commentsvc.web.context import database
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest

OF_ERROR: tuple[tuple[type[Exception], LoginOutcome], ...] = (
    (errors.LoginRefusedError, LoginOutcome.REFUSED),
    (errors.ProviderUnavailableError, LoginOutcome.UNAVAILABLE),
    (errors.LoginCancelledError, LoginOutcome.CANCELLED),
    (errors.LoginExpiredError, LoginOutcome.EXPIRED),
    (errors.NoRoleError, LoginOutcome.NO_ROLE),
    (errors.IdentityTakenError, LoginOutcome.TAKEN),
    (errors.NotFreshError, LoginOutcome.NOT_FRESH),
    (errors.LinkSpentError, LoginOutcome.SPENT),
    (errors.TooManyError, LoginOutcome.LIMITED),
    (errors.ForbiddenError, LoginOutcome.NOT_OURS),
    (errors.ServiceMovingError, LoginOutcome.BUSY),
    (OperationalError, LoginOutcome.BUSY),
)
"""The first match counts; any other error means NOT_BEGUN before the provider's answer and INVALID after it."""

_PERSONS_PAGES = {"settings": "account.settings", "delete": "account.delete"}
_OF_A_THREAD = ("url", "canonical", "id", "order", page_language.PARAMETER)


@dataclass(frozen=True)
class Start:
    """Where a login began. The values come from a browser; URLs are only built here."""

    purpose: Purpose | None = None
    """None if unknown."""
    thread_request: Mapping[str, str] = field(default_factory=dict)
    """The thread to return to."""
    page: str = ""
    """The person's page to return to."""
    invitation: str = ""
    receipt: str = ""
    """The token of the receipt to return to."""

    @classmethod
    def read(cls, facts: Mapping[str, str]) -> Start:
        """Read the values of a form or a ticket; an unknown purpose is None."""
        purpose, page = facts.get("purpose", ""), facts.get("page", "")
        return cls(
            Purpose(purpose) if purpose in set(Purpose) else None,
            facts,
            page if page in _PERSONS_PAGES else "",
            facts.get("invitation", "")[:100],
            facts.get("receipt", "")[:100],
        )

    def facts(self) -> dict[str, str]:
        """Return what a ticket stores. Not the invitation and the receipt, which are secrets."""
        thread = {name: self.thread_request.get(name, "") for name in _OF_A_THREAD}
        named = {"purpose": self.purpose or "", "page": self.page, **thread}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True)
class WayBack:
    """A link to where a login began."""

    words: str
    address: Callable[[Start], str]


def _article(start: Start) -> str:
    return ThreadRequest.read(EMBED, start.thread_request).address().url


def _thread(start: Start) -> str:
    thread_request = ThreadRequest.read(STANDALONE, start.thread_request)
    thread_request.address()  # raises if the website is not registered
    return thread_request.link()


def persons_page(start: Start) -> str:
    """Return the path of the person's page that a login leads to."""
    return url_for(_PERSONS_PAGES.get(start.page, "account.home"))


def _invitation(start: Start) -> str:
    if not re.fullmatch(r"[\w-]{20,100}", start.invitation, re.ASCII):
        raise errors.NotFoundError(gettext("The invitation is no longer known."))
    return url_for("invitation.page", token=start.invitation)


def receipt_page(start: Start) -> str:
    """Return the path of the receipt that a login leads back to; raises NotFoundError."""
    if not re.fullmatch(r"[A-Za-z0-9]{20,100}", start.receipt):
        raise errors.NotFoundError(gettext("The comment is no longer known."))
    return url_for("receipts.page", token=start.receipt)


WAYS_BACK: dict[Purpose | None, WayBack | None] = {
    Purpose.FRAME: None,  # its window is closed; the frame continues by itself
    Purpose.TAB: WayBack(gettext_noop("Back to the article"), _article),
    Purpose.THREAD: WayBack(gettext_noop("Back to the comments"), _thread),
    Purpose.PERSON: WayBack(gettext_noop("Back to your own page"), persons_page),
    Purpose.RECEIPT: WayBack(gettext_noop("Back to your comment"), receipt_page),
    Purpose.LINK: WayBack(gettext_noop("Back to your settings"), lambda _: url_for("account.settings")),
    Purpose.ADMIN: WayBack(gettext_noop("Back to the sign-in page"), lambda _: url_for("queue.listing")),
    Purpose.INVITE: WayBack(gettext_noop("Back to the invitation"), _invitation),
    None: WayBack(gettext_noop("Log in to your own page"), lambda _: url_for("account.home")),
}


def of_error(error: Exception, *, answered: bool) -> LoginOutcome:
    """Return an error's outcome; `answered`: whether the provider had answered."""
    other = LoginOutcome.INVALID if answered else LoginOutcome.NOT_BEGUN
    return next((outcome for kind, outcome in OF_ERROR if isinstance(error, kind)), other)


def way_back(start: Start) -> tuple[str, str]:
    """Return text and URL of the link to where a login began; both empty for a login with its own window."""
    way = WAYS_BACK[start.purpose]
    if way is None:
        return "", ""
    try:
        return gettext(way.words), way.address(start)
    except (
        errors.CommentsvcError,
        OperationalError,
    ):  # the article's website is not registered, or the invitation is unknown
        elsewhere = WAYS_BACK[Purpose.ADMIN if start.purpose is Purpose.INVITE else None]
        return (gettext(elsewhere.words), elsewhere.address(start)) if elsewhere else ("", "")


def page(outcome: LoginOutcome, start: Start, message: str = "", *, status: int = 200) -> Response:
    """Show how a login ended, with a link back."""
    words, address = way_back(start)
    html = render_template(
        "login/ended.html",
        outcome=outcome,
        heading=gettext(HEADINGS[outcome]),
        message=message,
        advice=gettext(ADVICE[outcome][start.purpose] if start.purpose else WHEREVER),
        words=words,
        address=address,
    )
    response = headers.no_store(make_response(html, status))
    return headers.leave_to_opener(response) if start.purpose is Purpose.FRAME else response


def failed(error: Exception, start: Start, *, answered: bool) -> Response:
    """Show the page of an error, and end the transaction that raised it."""
    database().rollback()
    status, message = 503, gettext("The service cannot reach its database right now.")
    if isinstance(error, errors.CommentsvcError):
        is_late = answered and not isinstance(error, errors.ServiceMovingError)
        status, message = 400 if is_late else error_pages.status_of(error), str(error)
    response = page(of_error(error, answered=answered), start, message, status=status)
    error_pages.set_retry_after(response, error)
    return response
