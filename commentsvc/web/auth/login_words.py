"""What a login is for, how it can end, and what its last page says for each combination of these."""

from __future__ import annotations

from enum import StrEnum

from commentsvc.messages import gettext_noop


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
WHEREVER = gettext_noop("Go back to the page where you began, and log in again.")
"""The advice if the purpose of a login is no longer known."""
