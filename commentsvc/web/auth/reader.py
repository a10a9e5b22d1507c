"""The signed-in reader: in a frame for one site, or on our own pages as a person.

A session's token comes in the partitioned cookie or, from a browser that blocks the cookie, as a bearer token. The
cookie does not prove which page sent a request, so changes with it also need a CSRF token.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from flask import Response, current_app, request
from flask import session as cookie
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms import ValidationError

from commentsvc.domain.accounts import accounts, login_sessions, single_sign_on
from commentsvc.domain.reading import avatars
from commentsvc.errors import ForbiddenError, OtherPersonError
from commentsvc.integrations.oauth import catalogue
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Commenter, LoginSession, Site
from commentsvc.text import initials
from commentsvc.web.auth import cookies, person_marks
from commentsvc.web.auth.cookies import READER_COOKIE
from commentsvc.web.context import database, now, providers, settings
from commentsvc.web.thread_request import EMBED

PERSON = "person"
_OWN_LABELS = {
    single_sign_on.PROVIDER: gettext_noop("Website login"),
    accounts.OPERATOR[0]: gettext_noop("Command line"),
}
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_ANY_BROWSER = "A browser"
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def current(site_id: int | None) -> LoginSession | None:
    """Return the valid session for a frame's site, or, with None, for our own pages."""
    given = token(site_id)
    if given is None:
        return None
    purpose = login_sessions.PERSON if site_id is None else login_sessions.READER
    return login_sessions.find(database(), given, purpose=purpose, at=now(), site_id=site_id)


def in_thread(mode: str, site: Site) -> LoginSession | None:
    """Return the valid session for a thread: its site's in the frame, and a person's on the standalone page."""
    return current(site.id if mode == EMBED else None)


def of_own_pages() -> LoginSession | None:
    """Return the valid session for a person's own pages, which may also have begun in a frame."""
    given = token(None)
    holder = current(None)
    if holder is None and given:
        holder = login_sessions.find(database(), given, purpose=login_sessions.OWN, at=now())
    return holder


def token(site_id: int | None) -> str | None:
    """Return the session's token from the request, valid or not."""
    value = bearer() or (cookie.get(_name(site_id)) if cookie else None)
    return value if isinstance(value, str) else None


def require_token() -> None:
    """Refuse a change that comes with the cookie alone; raises ForbiddenError."""
    if not bearer():
        require_csrf(request.headers.get("X-CSRFToken") or request.form.get("csrf_token"))


def require_csrf(sent: str | None) -> None:
    """Refuse a change without the token of the session's cookie; raises ForbiddenError."""
    try:
        validate_csrf(sent)
    except ValidationError:
        raise ForbiddenError(
            gettext("This form was open for too long. Please reload the page and try again.")
        ) from None


def bearer() -> str | None:
    """Return the token that a frame without cookies sends."""
    match = re.fullmatch(r"Bearer ([\w-]{20,100})", request.headers.get("Authorization", ""))
    return match[1] if match else None


def set_cookie(site_id: int | None, token: str) -> None:
    """Put a session's token into the cookie of the current path."""
    cookies.put(cookie, _name(site_id), token)


def clear_cookie(site_id: int | None) -> None:
    """Remove it from the cookie."""
    cookie.pop(_name(site_id), None)


def set_person_cookie(response: Response, token: str) -> Response:
    """Set a person's session on a response whose own path has another cookie."""
    kept = READER_COOKIE.open_session(current_app, request) or READER_COOKIE.session_class()
    cookies.put(kept, PERSON, token)
    READER_COOKIE.save_session(current_app, kept, response)
    return response


def person_of_cookie() -> LoginSession | None:
    """Return the person's session on a path that has another cookie."""
    kept = READER_COOKIE.open_session(current_app, request)
    token = kept.get(PERSON) if kept else None
    return (
        login_sessions.find(database(), token, purpose=login_sessions.PERSON, at=now())
        if isinstance(token, str)
        else None
    )


def form_mark(holder: LoginSession | None) -> str:
    """Return the mark for a form that this reader fills in; empty for a guest."""
    return person_marks.mark_of(holder.commenter, f"site {holder.site_id}") if holder else ""


def require_same_person(holder: LoginSession | None, mark: str | None, what_now: str) -> None:
    """Refuse a form that somebody else opened; raises OtherPersonError, in which `what_now` says what to do.

    `mark` is the one in the form: empty for a guest's, None for a form that is not ours.
    """
    if mark != form_mark(holder):
        raise OtherPersonError(holder.commenter.name if holder else None, what_now)


def csrf_token() -> str:
    """Return the token that changes with the cookie need."""
    return str(generate_csrf())


def describe(holder: LoginSession) -> dict[str, Any]:
    """Return what a form shows about the signed-in reader."""
    identity = holder.identity
    key = identity.provider if identity else ""
    return {
        "mark": form_mark(holder),
        "name": holder.commenter.name,
        "provider": key,
        "label": "" if key == single_sign_on.PROVIDER else label_of(key),
        "picture": _picture(holder.commenter),
    }


def label_of(key: str) -> str:
    """Return the label of a way to log in: a provider, even if it is no longer configured, or one of our own."""
    if key in _OWN_LABELS:
        return gettext(_OWN_LABELS[key])
    configured = providers().get(key)
    return configured.label if configured else catalogue.label_of(key)


def _picture(person: Commenter) -> str:
    """Return the URL of a person's picture, or of their initial if they have no visible one."""
    if path := avatars.path(database(), person):
        return settings().base_path + path
    return f"data:{initials.CONTENT_TYPE},{quote(initials.svg(person.name))}"


def browser() -> str:
    """Return a name of the browser as it is stored with a session, in English, such as "Firefox on Linux"."""
    agent = request.headers.get("User-Agent", "")
    name = next((shown for sign, shown in _BROWSERS if sign in agent), _ANY_BROWSER)
    system = next((shown for sign, shown in _SYSTEMS if sign in agent), "")
    return f"{name} on {system}" if system else name


def browser_in_words(stored: str | None) -> str:
    """Return the name of a session's browser in the current language; `stored` is what `browser` returned."""
    name, _, system = (stored or "").partition(" on ")
    if not system:
        return gettext("A browser") if name in {"", _ANY_BROWSER} else name
    # translators: for example "Firefox on Linux".
    return gettext("%(browser)s on %(system)s") % {"browser": name, "system": system}


def _name(site_id: int | None) -> str:
    return PERSON if site_id is None else f"site {site_id}"
