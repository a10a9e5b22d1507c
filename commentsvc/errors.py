"""Everything that can go wrong by rule. Exceptions carry facts; web/error_pages.py and cli show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class CommentsvcError(Exception):
    """Base of all errors of ours; `str(error)` is a sentence for people."""


class SettingsError(CommentsvcError):
    """The environment does not describe a service that can run; `faults` names every reason."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(["The settings have faults:", *(f"  - {fault}" for fault in self.faults)]))


class NewerDatabaseError(CommentsvcError):
    """The database has migrations that this release does not know."""

    def __init__(self) -> None:
        super().__init__(
            "This database was made by a newer release; install that one, or restore the backup from before."
        )


class InvalidFieldsError(CommentsvcError):
    """One or more fields were refused; `fields` maps the field's name to a sentence to show beside it."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__(" ".join(self.fields.values()))


class BadAddressError(CommentsvcError):
    """A URL or origin is not one of a web page."""


class NotFoundError(CommentsvcError):
    """The thing named does not exist, or not where this person may see it; nobody learns which of the two."""

    def __init__(self, message: str = "There is no such page, or it is not yours to see.") -> None:
        super().__init__(message)


class UnknownOriginError(NotFoundError):
    """No site has registered this origin."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        super().__init__(f"Comments are not set up for {origin}.")


class KeyTakenError(CommentsvcError):
    """Another thread, `thread_id`, is found at an address that was wanted; the two may be merged."""

    def __init__(self, thread_id: int) -> None:
        self.thread_id = thread_id
        super().__init__("There is a thread at this address already. The two can be merged.")


class OtherArticleError(CommentsvcError):
    """The page around the frame shows another article by now than the one whose thread the comment was for."""

    def __init__(self) -> None:
        super().__init__(
            "This page shows another article by now, so your comment was not posted. "
            "Your text is kept; please reload the page and send it again."
        )


class ThreadClosedError(CommentsvcError):
    """The thread takes no new comments; the message says why."""


class DuplicateCommentError(CommentsvcError):
    """The same person has said the same thing in this thread."""

    def __init__(self) -> None:
        super().__init__("Duplicate comment detected; it looks as though you've already said that!")


class AlreadyPostedError(CommentsvcError):
    """A retry of a post that had arrived; `comment_id` is what the first one made."""

    def __init__(self, comment_id: int) -> None:
        self.comment_id = comment_id
        super().__init__("This comment was posted before.")


class WorkNeededError(CommentsvcError):
    """Many comments are coming, and a browser that can is to work for its own first; no puzzle for people."""

    def __init__(self) -> None:
        super().__init__(
            "Many comments are coming at the moment. Your text is kept; please reload the page and send it again."
        )


class StaleFormError(CommentsvcError):
    """The signed form token is missing, foreign or too old; `genuine` where it was this form's, once."""

    def __init__(self, *, genuine: bool = False) -> None:
        self.genuine = genuine
        super().__init__("This form had been open for too long. Nothing is lost: press the button once more.")


class TooManyError(CommentsvcError):
    """A limit was reached; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        wait = f"{retry_after} seconds" if retry_after < 90 else f"{round(retry_after / 60)} minutes"
        super().__init__(f"That was a lot in a short time. Please try again in {wait}.")


class SlowModeError(TooManyError):
    """One person's comments in a slow thread came too close together; both times are in words."""

    def __init__(self, retry_after: int, *, every: str, wait: str) -> None:
        super().__init__(retry_after)
        self.args = (f"Slow mode: one comment every {every}; you can comment again in {wait}.",)


class ForbiddenError(CommentsvcError):
    """The request did not come from where it must, or its sender may not do this."""


class BannedError(ForbiddenError):
    """A site does not want this person's comments, or this kind; the sentence says for how long."""


class NotFreshError(ForbiddenError):
    """A person must log in once more before they may do this."""


class IdentityTakenError(ForbiddenError):
    """The account at a provider that was to be linked belongs to another person."""

    def __init__(self) -> None:
        super().__init__("This account belongs to somebody else here. Nothing was changed.")


class LinkSpentError(CommentsvcError):
    """A one-time link was used before, or its time is over."""

    def __init__(
        self, message: str = "This sign-in link was used before or is too old. Ask for a new one."
    ) -> None:
        super().__init__(message)


class TransferError(CommentsvcError):
    """A file to import cannot be read; the message says where and why."""


class ProviderError(CommentsvcError):
    """A login provider refused, did not answer, or answered what cannot be believed; the sentence is shown."""


class LoginRefusedError(ProviderError):
    """A person said no at the provider."""


class ProviderUnavailableError(ProviderError):
    """A login provider cannot be reached, or takes too long to answer."""


class LoginFailedError(CommentsvcError):
    """A login did not come to its end, by a fault on our side of it: unknown, too old, from another browser."""


class LoginExpiredError(LoginFailedError):
    """A login took longer than it may, or came to its end before."""

    def __init__(self) -> None:
        super().__init__("This login took too long, or was finished before. Please try again.")


class LoginCancelledError(LoginFailedError):
    """A login was cancelled where it had begun, and comes back too late."""

    def __init__(self) -> None:
        super().__init__("This login was cancelled. Nobody is logged in by it.")


class NoRoleError(LoginFailedError):
    """Somebody who moderates no site wanted to enter the admin view."""


class StaleTokenError(LoginFailedError):
    """The token with which a website signs its user in is too old; the website can give a new one."""

    def __init__(self) -> None:
        super().__init__("Your login at this website has to be renewed. Please reload the page.")


class OutboundError(CommentsvcError):
    """Another server was asked and gave no good answer; the sentence says why."""


class MailError(CommentsvcError):
    """A mail could not be handed in; `lasting` where it would be in vain to try again."""

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        self.lasting = lasting
        super().__init__(message)


class ForbiddenDestinationError(OutboundError):
    """An address that a stranger chose, and that is not asked: private, special, or no address of a web server."""


class PictureError(CommentsvcError):
    """These bytes are no picture that can be shown; the sentence says why."""


class OtherPersonError(CommentsvcError):
    """A form was filled in as one person and sent while another was logged in; `name` is None for nobody."""

    def __init__(self, name: str | None, what_now: str) -> None:
        who = "You are no longer logged in." if name is None else f"You are now logged in as {name}."
        super().__init__(f"{who} {what_now}")


class LoggedOutError(CommentsvcError):
    """A comment was to be posted as somebody whose session is over."""

    def __init__(self) -> None:
        super().__init__("You are no longer logged in. Log in once more, or comment as a guest.")
