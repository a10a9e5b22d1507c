"""The person who puts a guest's comment under their account."""

from __future__ import annotations

from commentsvc.domain.authors import Author
from commentsvc.errors import LoggedOutError, OtherPersonError
from commentsvc.messages import gettext
from commentsvc.models import LoginSession
from commentsvc.web import access
from commentsvc.web.auth import reader


def claimant(holder: LoginSession | None, *, mark: str) -> Author:
    """Return the person of a session; `mark` is that of the person for whom the form was made.

    Raises LoggedOutError, OtherPersonError if that is somebody else, and ForbiddenError without the session's CSRF
    token.
    """
    if holder is None:
        raise LoggedOutError
    if mark != reader.form_mark(holder):
        raise OtherPersonError(holder.commenter.name, gettext("Please reload the page and try again."))
    reader.require_token()
    return Author(
        commenter_id=holder.commenter_id,
        network_hash=access.network_hash(),
        network_hash_in=access.network_hash,
        client_ip=access.client_ip(),
    )
