"""How a login can end: a table of all outcomes for all purposes, with the text of each page.

A page of ours appears whenever a login does not end where it began. It says what happened and what to do, and links
back; every URL is built here, of a registered website or of this service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flask import Response, make_response, render_template, url_for
from sqlalchemy.exc import OperationalError

from commentsvc import errors
from commentsvc.messages import gettext, gettext_noop
from commentsvc.web import error_pages, headers, page_language
from commentsvc.web.context import database
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest


class Purpose(StrEnum):
    """What a login is for, and so where it began."""

    FRAME = "frame"
    """A frame that waits while the login has its own window."""
    TAB = "tab"
    """A frame whose login takes place in the article's tab."""
    THREAD = "thread"
    """A standalone thread page."""
    PERSON = "person"
    """A person's own page."""
    RECEIPT = "receipt"
    """The private page of a guest's comment, to put it under an account."""
    LINK = "link"
    """A person's settings, to link another account."""
    ADMIN = "admin"
    INVITE = "invite"
    """An invitation to the admin view."""


class LoginOutcome(StrEnum):
    """The outcome of a login."""

    DONE = "done"
    REFUSED = "refused"
    """The person declined at the provider."""
    UNAVAILABLE = "unavailable"
    NOT_BEGUN = "not begun"
    NOT_OURS = "not ours"
    """The form that started it was not sent by a page of ours."""
    LIMITED = "limited"
    UNKNOWN = "unknown"
    """This browser did not start it, or has lost the cookie."""
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    INVALID = "invalid"
    """The provider's answer is not valid."""
    NO_ROLE = "no role"
    TAKEN = "taken"
    """The account belongs to another person."""
    NOT_FRESH = "not fresh"
    SPENT = "spent"
    """The invitation is already used."""
    BUSY = "busy"


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

HEADINGS: dict[LoginOutcome, str] = {
    LoginOutcome.DONE: gettext_noop("You are logged in"),
    LoginOutcome.REFUSED: gettext_noop("You are not logged in"),
    LoginOutcome.UNAVAILABLE: gettext_noop("The login did not work"),
    LoginOutcome.NOT_BEGUN: gettext_noop("The login could not begin"),
    LoginOutcome.NOT_OURS: gettext_noop("The login could not begin"),
    LoginOutcome.LIMITED: gettext_noop("Too many logins at once"),
    LoginOutcome.UNKNOWN: gettext_noop("This login cannot be finished here"),
    LoginOutcome.EXPIRED: gettext_noop("This login took too long"),
    LoginOutcome.CANCELLED: gettext_noop("This login was cancelled"),
    LoginOutcome.INVALID: gettext_noop("The login did not work"),
    LoginOutcome.NO_ROLE: gettext_noop("You do not moderate a website here"),
    LoginOutcome.TAKEN: gettext_noop("This account belongs to somebody else"),
    LoginOutcome.NOT_FRESH: gettext_noop("Please log in again"),
    LoginOutcome.SPENT: gettext_noop("This invitation no longer works"),
    LoginOutcome.BUSY: gettext_noop("The service is busy"),
}

_AGAIN = {
    Purpose.FRAME: gettext_noop(
        "You can close this window. "
        "What you typed is still in the comment box; you can log in again from there."
    ),
    Purpose.TAB: gettext_noop(
        "What you typed is still in the comment box of the article; you can log in again from there."
    ),
    Purpose.THREAD: gettext_noop("Go back to the comments to log in again."),
    Purpose.PERSON: gettext_noop("Go back to log in again."),
    Purpose.RECEIPT: gettext_noop("Go back to your comment to log in again."),
    Purpose.LINK: gettext_noop("No account was linked. Go back to your settings to try again."),
    Purpose.ADMIN: gettext_noop(
        "Go back to sign in again, or make a sign-in link with “commentsvc admin link”."
    ),
    Purpose.INVITE: gettext_noop("The invitation is not used up. Go back to it to log in again."),
}
_ANOTHER_WAY = {
    Purpose.FRAME: gettext_noop(
        "You can close this window. "
        "What you typed is still in the comment box; you can choose another way to log in there."
    ),
    Purpose.TAB: gettext_noop(
        "What you typed is still in the comment box of the article; you can choose another way to log in there."
    ),
    Purpose.THREAD: gettext_noop("Go back to the comments to choose another way to log in."),
    Purpose.PERSON: gettext_noop("Go back to choose another way to log in."),
    Purpose.RECEIPT: gettext_noop("Go back to your comment to choose another way to log in."),
    Purpose.LINK: gettext_noop("No account was linked. Go back to your settings to choose another one."),
    Purpose.ADMIN: gettext_noop(
        "Go back to choose another account, or make a sign-in link with “commentsvc admin link”."
    ),
    Purpose.INVITE: gettext_noop("The invitation is not used up. Go back to it to choose another account."),
}
_LATER = {
    Purpose.FRAME: gettext_noop(
        "You can close this window. "
        "What you typed is still in the comment box; you can log in a little later, or in another way."
    ),
    Purpose.TAB: gettext_noop(
        "What you typed is still in the comment box of the article; you can log in a little later, or in another way."
    ),
    Purpose.THREAD: gettext_noop("Go back to the comments to log in a little later, or in another way."),
    Purpose.PERSON: gettext_noop("Go back to log in a little later, or in another way."),
    Purpose.RECEIPT: gettext_noop("Go back to your comment to log in a little later, or in another way."),
    Purpose.LINK: gettext_noop(
        "No account was linked. Go back to your settings to try again a little later."
    ),
    Purpose.ADMIN: gettext_noop(
        "Go back to sign in a little later, or make a sign-in link with “commentsvc admin link”."
    ),
    Purpose.INVITE: gettext_noop("The invitation is not used up. Go back to it to log in a little later."),
}
_DONE = {
    Purpose.FRAME: gettext_noop("You can close this window and continue your comment."),
    Purpose.TAB: gettext_noop("Go back to the article to continue your comment."),
    Purpose.THREAD: gettext_noop("Go back to the comments to write one."),
    Purpose.PERSON: gettext_noop("Continue to your own page."),
    Purpose.RECEIPT: gettext_noop("Go back to your comment to put it under your account."),
    Purpose.LINK: gettext_noop("The account is linked."),
    Purpose.ADMIN: gettext_noop("Continue to the admin view."),
    Purpose.INVITE: gettext_noop("Continue to the admin view."),
}

ADVICE: dict[LoginOutcome, dict[Purpose, str]] = {
    LoginOutcome.DONE: _DONE,
    LoginOutcome.REFUSED: _ANOTHER_WAY,
    LoginOutcome.UNAVAILABLE: _LATER,
    LoginOutcome.NOT_BEGUN: _AGAIN,
    LoginOutcome.NOT_OURS: _AGAIN,
    LoginOutcome.LIMITED: _LATER,
    LoginOutcome.UNKNOWN: _AGAIN
    | {
        Purpose.INVITE: gettext_noop("Open the link of your invitation again to log in."),
        Purpose.RECEIPT: gettext_noop("Open the private link of your comment again to log in."),
    },
    LoginOutcome.EXPIRED: _AGAIN,
    LoginOutcome.CANCELLED: _AGAIN,
    LoginOutcome.INVALID: _AGAIN,
    LoginOutcome.NO_ROLE: _ANOTHER_WAY
    | {
        Purpose.ADMIN: gettext_noop(
            "Ask an owner of the website for an invitation, or go back to choose another account."
        )
    },
    LoginOutcome.TAKEN: _ANOTHER_WAY,
    LoginOutcome.NOT_FRESH: _AGAIN
    | {Purpose.LINK: gettext_noop("Go back to your settings and log in there again; then link the account.")},
    LoginOutcome.SPENT: _AGAIN | {Purpose.INVITE: gettext_noop("Ask whoever sent it to you for a new one.")},
    LoginOutcome.BUSY: _LATER,
}
_PERSONS_PAGES = {"settings": "account.settings", "delete": "account.delete"}
_OF_A_THREAD = ("url", "canonical", "id", "order", page_language.PARAMETER)
WHEREVER = gettext_noop("Go back to the page where you began, and log in again.")
"""The advice if the purpose of a login is no longer known."""


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
