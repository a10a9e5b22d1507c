"""Whom a form was filled in as: an opaque mark, compared with who is logged in when the form is sent.

Another tab of the same browser may log somebody else in while a form is open. Without the mark, what was typed under
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
    """Return 64 hexadecimal digits that tell this person from every other in one place, and tell nothing else.

    They depend on the person, not on the session: the same person, logged in once more, may send a form that was
    open before. The time of the account's making is in it because SQLite gives a deleted person's id to the next.
    """
    value = f"{place} {person.id} {person.created_at.isoformat()}"
    return signing.keyed_hash(settings().secret_key, "person", value)


class PersonCsrf(CSRFProtect):  # type: ignore[misc]
    """CSRF protection whose tokens also say for whom the page was made."""

    def _get_csrf_token(self) -> str | None:
        sent = super()._get_csrf_token()
        return sent.rpartition(_SEPARATOR)[2] if isinstance(sent, str) else None


def page_mark() -> str:
    """Return the mark of whoever sees this page of their account or of the admin view; empty for nobody."""
    person = g.get("person") or cookies.signed_in_moderator()
    return mark_of(person, _OWN_PAGES) if person else ""


def csrf_token() -> str:
    """Return the token of a form on such a page, with the mark."""
    return f"{page_mark()}{_SEPARATOR}{generate_csrf()}"


def sent_mark() -> str:
    """Return the mark that came with the form's CSRF token; empty for none."""
    return request.form.get("csrf_token", "").rpartition(_SEPARATOR)[0]


def is_of(mark: str, person: Commenter) -> bool:
    """Whether a page with this mark was made for this person."""
    return hmac.compare_digest(mark.encode(), mark_of(person, _OWN_PAGES).encode())


def require(mark: str, person: Commenter) -> None:
    """Refuse a form of a page that was made for somebody else; raises OtherPersonError."""
    if not is_of(mark, person):
        raise OtherPersonError(
            person.name, "This page was opened before that, so nothing was changed. Please reload it."
        )
