"""The service's exceptions. They carry facts; web/error_pages.py and cli show them.

A sentence is in the language that is current when the error is raised. What only operators see is in English.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from commentsvc import durations
from commentsvc.messages import gettext, gettext_noop


class CommentsvcError(Exception):
    """Base of all our errors; `str(error)` is a sentence for people."""

    sentence = ""
    """What it says if it is raised without a message, in English."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.sentence and gettext(self.sentence)))


class SettingsError(CommentsvcError):
    """The service cannot run with these settings; `faults` lists every reason."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(["The settings have faults:", *(f"  - {fault}" for fault in self.faults)]))


class NewerDatabaseError(CommentsvcError):
    """The database has migrations that this release does not know."""

    def __init__(self) -> None:
        super().__init__(
            "This database was made by a newer release. Install that release, or restore a backup from before it."
        )


class ServiceMovingError(CommentsvcError):
    """The service moves to another database, or has moved, so nothing can be changed in this one."""

    sentence = gettext_noop(
        "This comment service is moving, so nothing can be saved right now. It will be back in a few minutes."
    )


class InvalidFieldsError(CommentsvcError):
    """Fields were refused; `fields` maps the name of each to a sentence to show beside it."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__(" ".join(self.fields.values()))


class BadAddressError(CommentsvcError):
    """A text is not the URL or origin of a web page, or another address that was required."""


class NotFoundError(CommentsvcError):
    """Something does not exist, or this person may not see it."""

    sentence = gettext_noop("There is no such page, or it is not yours to see.")


class UnknownOriginError(NotFoundError):
    """No site has registered this origin."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        super().__init__(gettext("Comments are not set up for %(origin)s.") % {"origin": origin})


class KeyTakenError(CommentsvcError):
    """Another thread, `thread_id`, already has the wanted address; the two can be merged."""

    def __init__(self, thread_id: int) -> None:
        self.thread_id = thread_id
        super().__init__(gettext("There is a thread at this address already. The two can be merged."))


class OtherArticleError(CommentsvcError):
    """The page around the frame now shows another article than the one that the comment was written for."""

    sentence = gettext_noop(
        "This page now shows another article, so your comment was not posted. "
        "Your text is kept; please reload the page and send it again."
    )


class ThreadClosedError(CommentsvcError):
    """The thread is closed for new comments; the message says why."""


class DuplicateCommentError(CommentsvcError):
    """The same person has posted the same text in this thread."""

    sentence = gettext_noop("Duplicate comment detected; it looks as though you've already said that!")


class NotEditableError(CommentsvcError):
    """A comment's author may not, or no longer, change its text; the message says why."""


class StaleEditError(CommentsvcError):
    """The text of a comment was changed after its author opened the form."""

    sentence = gettext_noop(
        "This comment was changed meanwhile. Your text is kept; please compare it and save it again."
    )


class AlreadyPostedError(CommentsvcError):
    """A post was retried although the first attempt, which stored `comment_id`, had succeeded."""

    def __init__(self, comment_id: int) -> None:
        self.comment_id = comment_id
        super().__init__(gettext("This comment was posted before."))


class KeyReusedError(CommentsvcError):
    """A request has the Idempotency-Key of an earlier, different one."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request. Use a new one for each request.")


class StaleFormError(CommentsvcError):
    """The signed form token is missing, invalid or too old; `genuine` is true if it was valid for this form."""

    def __init__(self, *, genuine: bool = False) -> None:
        self.genuine = genuine
        super().__init__(
            gettext("This form had been open for too long. Nothing is lost: press the button once more.")
        )


class TooManyError(CommentsvcError):
    """A limit was reached; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(durations.try_again(retry_after))


class SlowModeError(TooManyError):
    """A person comments too soon after their last comment in slow mode; `every` is its pause in seconds."""

    def __init__(self, retry_after: int, *, every: int) -> None:
        super().__init__(retry_after)
        self.args = (f"{durations.slow_mode(every)} {durations.comment_again(retry_after)}",)


class ForbiddenError(CommentsvcError):
    """The request came from a page that may not send it, or its sender may not do this."""


class BannedError(ForbiddenError):
    """The site has banned the author or something in the comment; the message says for how long."""


class NotFreshError(ForbiddenError):
    """A person must log in again before they may do this."""


class IdentityTakenError(ForbiddenError):
    """The account to be linked already belongs to another person."""

    sentence = gettext_noop("This account belongs to somebody else here. Nothing was changed.")


class LinkSpentError(CommentsvcError):
    """A one-time link has been used or has expired."""

    sentence = gettext_noop("This sign-in link was used before or is too old. Ask for a new one.")


class TransferError(CommentsvcError):
    """A file to import cannot be read; the message says where and why."""


class ArchiveError(TransferError):
    """An archive cannot be read, or not restored."""


class MoveError(CommentsvcError):
    """The service cannot be moved to another database; the message says why."""


class ProviderError(CommentsvcError):
    """A login provider refused, did not answer, or sent an invalid response; the message is shown to the person."""


class InvalidNoticeError(CommentsvcError):
    """A notice is not its provider's, not for this service, or too old; only the log says which (`reason`)."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__("This is not a valid notice of a login provider.")


class LoginRefusedError(ProviderError):
    """The person refused the login at the provider."""


class ProviderUnavailableError(ProviderError):
    """A login provider cannot be reached, or takes too long to answer."""


class LoginFailedError(CommentsvcError):
    """A login failed for a reason other than the provider: it is unknown, too old or from another browser."""


class LoginExpiredError(LoginFailedError):
    """A login took too long, or was already finished."""

    sentence = gettext_noop("This login took too long, or was finished before. Please try again.")


class LoginCancelledError(LoginFailedError):
    """A login was cancelled in the page where it began, before the provider's response arrived."""

    sentence = gettext_noop("This login was cancelled. You are not logged in.")


class NoRoleError(LoginFailedError):
    """A person without a role on any site tried to enter the admin view."""


class StaleTokenError(LoginFailedError):
    """A website's single sign-on token has expired; the website can issue a new one."""

    sentence = gettext_noop("Your login at this website must be renewed. Please reload the page.")


class OutboundError(CommentsvcError):
    """A request to another server failed; the message says why."""


class RedirectedError(OutboundError):
    """A server answered with a redirect, to `url`, that was not followed."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__("The server sent too many redirects.")


class MailError(CommentsvcError):
    """A mail could not be sent."""

    def __init__(
        self,
        message: str,
        *,
        lasting: bool = False,
        no_such_address: bool = False,
        refused: bool = False,
        ours: bool = False,
    ) -> None:
        """`lasting`: trying again would not help. At most one of the others says whose fault it is.

        `no_such_address`: the address does not exist. `refused`: its server takes no mail for it. `ours`: the server
        that sends our mail cannot be used, so that no mail can be sent.
        """
        self.lasting = lasting
        self.no_such_address, self.refused, self.ours = no_such_address, refused, ours
        super().__init__(message)


class ImportConflictError(CommentsvcError):
    """An import by upload is in another state than the change needs; the message says in which."""


class UploadError(CommentsvcError):
    """An uploaded file is missing or empty."""


class UploadTooLargeError(CommentsvcError):
    """An uploaded file is too large."""


class ForbiddenDestinationError(OutboundError):
    """A URL that a stranger chose is not allowed: its address is private or special, or not that of a web server."""


class PictureError(CommentsvcError):
    """A file is not a picture that we can show; the message says why."""


class OtherPersonError(CommentsvcError):
    """A form was filled in as one person and sent as another, `name`; None if nobody is logged in now."""

    def __init__(self, name: str | None, what_now: str) -> None:
        if name is None:
            who = gettext("You are no longer logged in.")
        else:
            who = gettext("You are now logged in as %(name)s.") % {"name": name}
        super().__init__(f"{who} {what_now}")


class LoggedOutError(CommentsvcError):
    """A comment was sent as a person whose session has ended."""

    sentence = gettext_noop("You are no longer logged in. Log in again, or comment as a guest.")


class BackupError(CommentsvcError):
    """A backup could not be made, proved or restored; the message says why."""


class BackupRunningError(BackupError):
    """Another process is making a backup in the same directory."""

    def __init__(self, directory: object) -> None:
        super().__init__(f"Another process is making a backup in {directory}. Try again when it is done.")
