"""The person who puts a guest's comment under their account."""

from __future__ import annotations

from commentsvc.domain.authors import Author
from commentsvc.errors import LoggedOutError
from commentsvc.messages import gettext
from commentsvc.models import LoginSession
from commentsvc.web import access
from commentsvc.web.auth import reader
from commentsvc.web.context import now


def claimant(holder: LoginSession | None, *, mark: str) -> Author:
    """Return the person of a session; `mark` is that of the person for whom the form was made.

    Raises LoggedOutError, OtherPersonError if that is somebody else, and ForbiddenError without the session's CSRF
    token.
    """
    if holder is None:
        raise LoggedOutError
    reader.require_same_person(holder, mark, gettext("Please reload the page and try again."))
    reader.require_token()
    return access.with_network(Author(commenter_id=holder.commenter_id), at=now())
