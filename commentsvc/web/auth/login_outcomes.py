"""How a login can end, for whom, and what its page then says: a table of every outcome for every purpose.

A page of ours is shown wherever a login does not end where it began. It says what happened, what to do, and leads back;
every address it leads to is made here, of a registered website or of this service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flask import Response, make_response, render_template
from sqlalchemy.exc import OperationalError

from commentsvc import errors
from commentsvc.web import error_pages, headers
from commentsvc.web.context import database
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest


class Purpose(StrEnum):
    """Where a login was begun, and so what it is for."""

    FRAME = "frame"
    """A frame that waits while the login has a window of its own."""
    TAB = "tab"
    """A frame, in the tab of its article."""
    THREAD = "thread"
    """A thread's own page."""
    PERSON = "person"
    """A person's own page."""
    LINK = "link"
    """A person's settings, to link a further account."""
    ADMIN = "admin"
    INVITE = "invite"
    """An invitation to the admin view."""


class LoginOutcome(StrEnum):
    """How a login ends."""

    DONE = "done"
    REFUSED = "refused"
    """Somebody said no at the provider."""
    UNAVAILABLE = "unavailable"
    NOT_BEGUN = "not begun"
    NOT_OURS = "not ours"
    """The form that began it did not come from a page of ours."""
    LIMITED = "limited"
    UNKNOWN = "unknown"
    """This browser did not begin it, or has lost the cookie."""
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    INVALID = "invalid"
    """The provider's answer cannot be believed."""
    NO_ROLE = "no role"
    TAKEN = "taken"
    """The account belongs to another person."""
    NOT_FRESH = "not fresh"
    SPENT = "spent"
    """The invitation was used before."""
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
    (OperationalError, LoginOutcome.BUSY),
)
"""The first that fits; any other error means NOT_BEGUN before the provider's answer and INVALID after it."""

HEADINGS: dict[LoginOutcome, str] = {
    LoginOutcome.DONE: "You are logged in",
    LoginOutcome.REFUSED: "You are not logged in",
    LoginOutcome.UNAVAILABLE: "The login did not work",
    LoginOutcome.NOT_BEGUN: "The login could not begin",
    LoginOutcome.NOT_OURS: "The login could not begin",
    LoginOutcome.LIMITED: "Too many logins at once",
    LoginOutcome.UNKNOWN: "This login cannot be finished here",
    LoginOutcome.EXPIRED: "This login took too long",
    LoginOutcome.CANCELLED: "This login was cancelled",
    LoginOutcome.INVALID: "The login did not work",
    LoginOutcome.NO_ROLE: "You do not moderate a website here",
    LoginOutcome.TAKEN: "This account belongs to somebody else",
    LoginOutcome.NOT_FRESH: "Please log in once more",
    LoginOutcome.SPENT: "This invitation no longer works",
    LoginOutcome.BUSY: "The service is busy",
}

_IN_A_WINDOW = "You can close this window. What you typed is still in the comment box"
_IN_A_TAB = "What you typed is still in the comment box of the article"
_LINK_COMMAND = "or make a sign-in link with “commentsvc admin link”"

_AGAIN = {
    Purpose.FRAME: f"{_IN_A_WINDOW}; you can log in again from there.",
    Purpose.TAB: f"{_IN_A_TAB}; you can log in again from there.",
    Purpose.THREAD: "Go back to the comments to log in again.",
    Purpose.PERSON: "Go back to log in again.",
    Purpose.LINK: "No account was linked. Go back to your settings to try again.",
    Purpose.ADMIN: f"Go back to sign in again, {_LINK_COMMAND}.",
    Purpose.INVITE: "The invitation is not used up. Go back to it to log in again.",
}
_ANOTHER_WAY = {
    Purpose.FRAME: f"{_IN_A_WINDOW}; you can choose another way to log in there.",
    Purpose.TAB: f"{_IN_A_TAB}; you can choose another way to log in there.",
    Purpose.THREAD: "Go back to the comments to choose another way to log in.",
    Purpose.PERSON: "Go back to choose another way to log in.",
    Purpose.LINK: "No account was linked. Go back to your settings to choose another one.",
    Purpose.ADMIN: f"Go back to choose another account, {_LINK_COMMAND}.",
    Purpose.INVITE: "The invitation is not used up. Go back to it to choose another account.",
}
_LATER = {
    Purpose.FRAME: f"{_IN_A_WINDOW}; you can log in a little later, or in another way.",
    Purpose.TAB: f"{_IN_A_TAB}; you can log in a little later, or in another way.",
    Purpose.THREAD: "Go back to the comments to log in a little later, or in another way.",
    Purpose.PERSON: "Go back to log in a little later, or in another way.",
    Purpose.LINK: "No account was linked. Go back to your settings to try again a little later.",
    Purpose.ADMIN: f"Go back to sign in a little later, {_LINK_COMMAND}.",
    Purpose.INVITE: "The invitation is not used up. Go back to it to log in a little later.",
}
_DONE = {
    Purpose.FRAME: "You can close this window and continue your comment.",
    Purpose.TAB: "Go back to the article to continue your comment.",
    Purpose.THREAD: "Go back to the comments to write one.",
    Purpose.PERSON: "Continue to your own page.",
    Purpose.LINK: "The account is linked.",
    Purpose.ADMIN: "Continue to the admin view.",
    Purpose.INVITE: "Continue to the admin view.",
}

ADVICE: dict[LoginOutcome, dict[Purpose, str]] = {
    LoginOutcome.DONE: _DONE,
    LoginOutcome.REFUSED: _ANOTHER_WAY,
    LoginOutcome.UNAVAILABLE: _LATER,
    LoginOutcome.NOT_BEGUN: _AGAIN,
    LoginOutcome.NOT_OURS: _AGAIN,
    LoginOutcome.LIMITED: _LATER,
    LoginOutcome.UNKNOWN: _AGAIN
    | {Purpose.INVITE: "Open the link of your invitation once more to log in again."},
    LoginOutcome.EXPIRED: _AGAIN,
    LoginOutcome.CANCELLED: _AGAIN,
    LoginOutcome.INVALID: _AGAIN,
    LoginOutcome.NO_ROLE: _ANOTHER_WAY
    | {Purpose.ADMIN: "Ask an owner of the website for an invitation, or go back to choose another account."},
    LoginOutcome.TAKEN: _ANOTHER_WAY,
    LoginOutcome.NOT_FRESH: _AGAIN
    | {Purpose.LINK: "Go back to your settings and log in there once more; then link the account."},
    LoginOutcome.SPENT: _AGAIN | {Purpose.INVITE: "Ask whoever sent it to you for a new one."},
    LoginOutcome.BUSY: _LATER,
}
_PERSONS_PAGES = {"settings": "/account/settings", "delete": "/account/delete"}
_OF_A_THREAD = ("url", "canonical", "id", "order")
WHEREVER = "Go back to the page on which you began, and log in again."
"""The advice where nobody knows any more for what a login was."""


@dataclass(frozen=True)
class Start:
    """Where a login was begun; the facts come from a browser and lead to no address but those made here."""

    purpose: Purpose | None = None
    """None where that is not known."""
    thread_request: Mapping[str, str] = field(default_factory=dict)
    """The thread to go back to."""
    page: str = ""
    """Which of a person's pages to go back to."""
    invitation: str = ""

    @classmethod
    def read(cls, facts: Mapping[str, str]) -> Start:
        """Read what a form or a ticket says; a purpose that there is not is none."""
        purpose, page = facts.get("purpose", ""), facts.get("page", "")
        return cls(
            Purpose(purpose) if purpose in set(Purpose) else None,
            facts,
            page if page in _PERSONS_PAGES else "",
            facts.get("invitation", "")[:100],
        )

    def facts(self) -> dict[str, str]:
        """What a ticket remembers of it. Not the invitation: that is a secret."""
        thread = {name: self.thread_request.get(name, "") for name in _OF_A_THREAD}
        named = {"purpose": self.purpose or "", "page": self.page, **thread}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True)
class WayBack:
    """A link to where a login was begun."""

    words: str
    address: Callable[[Start], str]


def _article(start: Start) -> str:
    return ThreadRequest.read(EMBED, start.thread_request).address().url


def _thread(start: Start) -> str:
    thread_request = ThreadRequest.read(STANDALONE, start.thread_request)
    thread_request.address()  # of a registered website, or it raises
    return thread_request.link()


def persons_page(start: Start) -> str:
    """Return which of a person's pages a login leads to."""
    return _PERSONS_PAGES.get(start.page, "/account")


def _invitation(start: Start) -> str:
    if not re.fullmatch(r"[\w-]{20,100}", start.invitation, re.ASCII):
        raise errors.NotFoundError("Nobody knows any more which invitation it was.")
    return f"/admin/invite/{start.invitation}"


WAYS_BACK: dict[Purpose | None, WayBack | None] = {
    Purpose.FRAME: None,  # its window is closed; the frame goes on by itself
    Purpose.TAB: WayBack("Back to the article", _article),
    Purpose.THREAD: WayBack("Back to the comments", _thread),
    Purpose.PERSON: WayBack("Back to your own page", persons_page),
    Purpose.LINK: WayBack("Back to your settings", lambda _: "/account/settings"),
    Purpose.ADMIN: WayBack("Back to the sign-in page", lambda _: "/admin"),
    Purpose.INVITE: WayBack("Back to the invitation", _invitation),
    None: WayBack("Log in to your own page", lambda _: "/account"),
}


def of_error(error: Exception, *, answered: bool) -> LoginOutcome:
    """Return the outcome that an error means; `answered`: the provider's answer was at hand."""
    other = LoginOutcome.INVALID if answered else LoginOutcome.NOT_BEGUN
    return next((outcome for kind, outcome in OF_ERROR if isinstance(error, kind)), other)


def way_back(start: Start) -> tuple[str, str]:
    """Return the words and the address of the link to where a login was begun; both empty in a window of its own."""
    way = WAYS_BACK[start.purpose]
    if way is None:
        return "", ""
    try:
        return way.words, way.address(start)
    except (
        errors.CommentsvcError,
        OperationalError,
    ):  # an article of no registered website, a lost invitation
        elsewhere = WAYS_BACK[Purpose.ADMIN if start.purpose is Purpose.INVITE else None]
        return (elsewhere.words, elsewhere.address(start)) if elsewhere else ("", "")


def page(outcome: LoginOutcome, start: Start, message: str = "", *, status: int = 200) -> Response:
    """Show how a login ended, with a way back."""
    words, address = way_back(start)
    html = render_template(
        "login/ended.html",
        outcome=outcome,
        heading=HEADINGS[outcome],
        message=message,
        advice=ADVICE[outcome][start.purpose] if start.purpose else WHEREVER,
        words=words,
        address=address,
    )
    response = headers.no_store(make_response(html, status))
    return headers.leave_to_opener(response) if start.purpose is Purpose.FRAME else response


def failed(error: Exception, start: Start, *, answered: bool) -> Response:
    """Show the page of an error, and end the transaction in which it was raised."""
    database().rollback()
    status, message = 503, "The service does not get to its database just now."
    if isinstance(error, errors.CommentsvcError):
        status, message = 400 if answered else error_pages.status_of(error), str(error)
    response = page(of_error(error, answered=answered), start, message, status=status)
    if isinstance(error, errors.TooManyError):
        response.headers["Retry-After"] = str(error.retry_after)
    return response
