"""The person a form was filled in as: an opaque mark, compared with the person logged in when the form is sent.

Another tab of the same browser may log another person in while a form is open. Without the mark, a text typed under
one name would be stored under another.
"""

from __future__ import annotations

import hmac

from flask import g, request

from commentsvc.errors import OtherPersonError
from commentsvc.integrations import signing
from commentsvc.messages import gettext
from commentsvc.models import Commenter
from commentsvc.web.auth import cookies
from commentsvc.web.context import settings

_OWN_PAGES = "own pages"
FIELD = "made_for"
"""The hidden field of forms that has the mark."""


def mark_of(person: Commenter, place: str) -> str:
    """Return 64 hexadecimal digits that distinguish this person from all others in one place, and reveal nothing else.

    They depend on the person, not on the session: after logging in again, the same person can send a form that was
    open before. They include the account's creation time because SQLite may reuse a deleted person's id.
    """
    value = f"{place} {person.id} {person.created_at.isoformat()}"
    return signing.keyed_hash(settings().secret_key, "person", value)


def page_mark() -> str:
    """Return the mark of the person who sees this account or admin page; empty if nobody is signed in."""
    person = g.get("person") or cookies.signed_in_moderator()
    return mark_of(person, _OWN_PAGES) if person else ""


def sent_mark() -> str:
    """Return the mark that a form of such a page sent; empty if there is none."""
    return request.form.get(FIELD, "")


def is_of(mark: str, person: Commenter) -> bool:
    """Whether a page with this mark was made for this person."""
    return hmac.compare_digest(mark.encode(), mark_of(person, _OWN_PAGES).encode())


def require(mark: str, person: Commenter) -> None:
    """Refuse a form on a page that was made for another person; raises OtherPersonError."""
    if not is_of(mark, person):
        raise OtherPersonError(
            person.name,
            gettext("This page was opened before that, so nothing was changed. Please reload it."),
        )
