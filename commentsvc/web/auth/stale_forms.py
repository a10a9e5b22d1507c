"""The response to a form of an account or admin page that is older than the person's login."""

from __future__ import annotations

from flask import Flask, Response, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from commentsvc.errors import ForbiddenError, OtherPersonError
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Commenter
from commentsvc.web import error_pages, headers, origin_check
from commentsvc.web.auth import cookies, person_marks
from commentsvc.web.auth.cookies import ADMIN

TOO_OLD = gettext_noop("This form was open for too long. Please go back, reload the page and try again.")


def init_app(app: Flask) -> None:
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(OtherPersonError, _other_person)


def _csrf(error: CSRFError) -> ResponseReturnValue:
    """Offer to send an admin form again: signing in invalidates earlier pages' tokens, but nothing may be lost."""
    person = _moderator() if person_marks.sent_mark() else None
    if person is None:
        return error_pages.answer(400, gettext(TOO_OLD))
    if person_marks.is_of(person_marks.sent_mark(), person):
        return _send_again(400, gettext("You signed in again after this page was opened."), person)
    return _send_again(409, gettext("You are now signed in as %(name)s.") % {"name": person.name}, person)


def _other_person(error: OtherPersonError) -> ResponseReturnValue:
    person = g.get("person")
    if request.path.startswith(f"{ADMIN}/") and person is not None:
        return _send_again(409, gettext("You are now signed in as %(name)s.") % {"name": person.name}, person)
    return error_pages.answer(error_pages.status_of(error), str(error))


def _moderator() -> Commenter | None:
    """Return the person signed in to the admin view, if a page of ours sent the form there."""
    if not request.path.startswith(f"{ADMIN}/"):
        return None
    try:
        origin_check.require_own_page()
    except ForbiddenError:
        return None
    return cookies.signed_in_moderator()


def _send_again(status: int, what_happened: str, person: Commenter) -> Response:
    """Show a page with all sent fields, and a button that sends them as the person who is signed in now."""
    g.person = person
    html = render_template(
        "admin/send_again.html",
        what_happened=what_happened,
        name=person.name,
        fields=[
            pair
            for pair in request.form.items(multi=True)
            if pair[0] not in ("csrf_token", person_marks.FIELD)
        ],
    )
    return headers.no_store(make_response(html, status))
