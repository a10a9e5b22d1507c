"""The person a form was filled in as: an opaque mark, compared with the person logged in when the form is sent.

Another tab of the same browser may log another person in while a form is open. Without the mark, a text typed under
one name would be stored under another.
"""

from __future__ import annotations

import hmac

from flask import g, request
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf

from commentsvc.errors import OtherPersonError
from commentsvc.integrations import signing
from commentsvc.models import Commenter
from commentsvc.web.auth import cookies
from commentsvc.web.context import settings

_OWN_PAGES = "own pages"
_SEPARATOR = "~"


def mark_of(person: Commenter, place: str) -> str:
    """Return 64 hexadecimal digits that distinguish this person from all others in one place, and reveal nothing else.

    They depend on the person, not on the session: after logging in again, the same person can send a form that was
    open before. They include the account's creation time because SQLite may reuse a deleted person's id.
    """
    value = f"{place} {person.id} {person.created_at.isoformat()}"
    return signing.keyed_hash(settings().secret_key, "person", value)


class PersonCsrf(CSRFProtect):  # type: ignore[misc]
    """CSRF protection whose tokens also carry the mark of the person the page was made for."""

    def _get_csrf_token(self) -> str | None:
        sent = super()._get_csrf_token()
        return sent.rpartition(_SEPARATOR)[2] if isinstance(sent, str) else None


def page_mark() -> str:
    """Return the mark of the person who sees this account or admin page; empty if nobody is signed in."""
    person = g.get("person") or cookies.signed_in_moderator()
    return mark_of(person, _OWN_PAGES) if person else ""


def csrf_token() -> str:
    """Return the CSRF token of a form on such a page, with the mark."""
    return f"{page_mark()}{_SEPARATOR}{generate_csrf()}"


def sent_mark() -> str:
    """Return the mark in the form's CSRF token; empty if there is none."""
    return request.form.get("csrf_token", "").rpartition(_SEPARATOR)[0]


def is_of(mark: str, person: Commenter) -> bool:
    """Whether a page with this mark was made for this person."""
    return hmac.compare_digest(mark.encode(), mark_of(person, _OWN_PAGES).encode())


def require(mark: str, person: Commenter) -> None:
    """Refuse a form on a page that was made for another person; raises OtherPersonError."""
    if not is_of(mark, person):
        raise OtherPersonError(
            person.name, "This page was opened before that, so nothing was changed. Please reload it."
        )
