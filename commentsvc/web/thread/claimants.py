"""The person who puts a guest's comment under their account."""

from __future__ import annotations

from flask import request

from commentsvc.domain.authors import Author
from commentsvc.errors import LoggedOutError, OtherPersonError
from commentsvc.models import LoginSession
from commentsvc.web import access
from commentsvc.web.auth import reader

MARK = "mark"
"""The form's field with the mark of the person whom it was made for."""


def claimant(holder: LoginSession | None) -> Author:
    """Return the person of a session whose form was sent.

    Raises LoggedOutError, OtherPersonError if the form was made for somebody else, and ForbiddenError without the
    session's CSRF token.
    """
    if holder is None:
        raise LoggedOutError
    if request.form.get(MARK) != reader.form_mark(holder):
        raise OtherPersonError(holder.commenter.name, "Please reload the page and try again.")
    reader.require_token()
    return Author(
        commenter_id=holder.commenter_id,
        network_hash=access.network_hash(),
        network_hash_in=access.network_hash,
        client_ip=access.client_ip(),
    )
