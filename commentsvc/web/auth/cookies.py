"""The session cookies, one for each part of the service, and who is signed in by them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from flask import Flask, Request, Response, request
from flask import session as cookie
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionInterface, SessionMixin

from commentsvc.config import Settings
from commentsvc.domain.accounts import login_sessions
from commentsvc.models import Commenter
from commentsvc.web.context import database, now

ADMIN = "/admin"
ACCOUNT = "/account"
READER_PATHS = (
    "/login/redeem",
    "/login/leave",
    "/login/sso",
    "/embed/own",
    "/embed/comments",
    "/embed/pass",
    "/receipt",
    "/thread",
    ACCOUNT,
)
"""Paths with a reader's session. The frame's page is not one of them, because it is the same for everybody."""
_TOKEN = "token"  # noqa: S105 - the token's name in the cookie
_CSRF_SECRET = "csrf_token"  # noqa: S105 - its name in the cookie
_NOTICE = "notice"


def init_app(app: Flask, settings: Settings) -> None:
    """Give each part of the service its cookie, and make forms valid as long as their session."""
    app.config.update(
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(days=60),  # the sessions in the database expire earlier
        WTF_CSRF_FIELD_NAME=_CSRF_SECRET,
        WTF_CSRF_TIME_LIMIT=None,  # an hour's work in an open form must not be lost
        WTF_CSRF_SSL_STRICT=False,  # origin_check.require_own_page checks Origin, which proxies do not change
    )
    admin = CookieSessions(Cookie("admin", samesite="Strict", secure=settings.secure))
    login = CookieSessions(Cookie("login", samesite="Lax", secure=settings.secure))
    app.session_interface = SessionsByPath(
        dict.fromkeys(READER_PATHS, READER_COOKIE) | {"/login": login, ADMIN: admin}
    )


@dataclass(frozen=True)
class Cookie:
    """A cookie's name and attributes. Without https it can have neither `Secure` nor the prefix."""

    part: str
    samesite: str
    secure: bool
    partitioned: bool = False

    @property
    def name(self) -> str:
        return f"__Host-{self.part}" if self.secure else f"commentsvc_{self.part}"


class CookieSessions(SecureCookieSessionInterface):
    """Flask's signed cookie with its own attributes; each part's cookie is only valid for that part."""

    def __init__(self, cookie: Cookie) -> None:
        self.cookie = cookie
        self.salt = f"commentsvc.session.{cookie.part}"

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "Cookie" not in request.headers:  # such as a guest's request: skips checking a signature
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session or session.accessed or session.modified:  # otherwise there is nothing to save
            super().save_session(app, session, response)

    def get_cookie_name(self, app: Flask) -> str:
        return self.cookie.name

    def get_cookie_domain(self, app: Flask) -> str | None:
        return None

    def get_cookie_path(self, app: Flask) -> str:
        return "/"  # required by the prefix __Host-

    def get_cookie_httponly(self, app: Flask) -> bool:
        return True

    def get_cookie_secure(self, app: Flask) -> bool:
        return self.cookie.secure

    def get_cookie_samesite(self, app: Flask) -> str | None:
        return self.cookie.samesite

    def get_cookie_partitioned(self, app: Flask) -> bool:
        return self.cookie.partitioned


# A frame can only set partitioned cookies, which must be secure; browsers treat loopback as secure.
READER_COOKIE = CookieSessions(Cookie("reader", samesite="None", secure=True, partitioned=True))


class SessionsByPath(SessionInterface):
    """Chooses the cookie by the request's path. Other paths have none, so their pages can be cached."""

    def __init__(self, parts: Mapping[str, CookieSessions]) -> None:
        self._parts = [(f"{prefix}/", part) for prefix, part in parts.items()]

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        part = self._part(request.path)
        return part.open_session(app, request) if part else None

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        part = self._part(request.path)
        if part:
            part.save_session(app, session, response)

    def _part(self, path: str) -> CookieSessions | None:
        path = f"{path}/"
        for prefix, part in self._parts:
            if path.startswith(prefix):
                return part
        return None


def put(cookie: SessionMixin, name: str, token: str) -> None:
    """Put a session's token into a cookie, with the secret of its forms' CSRF tokens.

    Flask-WTF alone would make the secret with the first page that has a form. Two such pages at once would each set
    their own, the browser would keep one, and the forms of the other page would be refused.
    """
    cookie[name] = token
    cookie.setdefault(_CSRF_SECRET, secrets.token_hex(20))
    cookie.permanent = True


def begin(token: str) -> None:
    """Put an admin session's token into the cookie, and remove everything else from it."""
    cookie.clear()
    put(cookie, _TOKEN, token)


def end() -> None:
    """Empty the cookie."""
    cookie.clear()


def token() -> str | None:
    """Return the session's token from the cookie, valid or not."""
    value = cookie.get(_TOKEN)
    return value if isinstance(value, str) else None


def signed_in_moderator() -> Commenter | None:
    """Return the person who is signed in to the admin view."""
    secret = token()
    if not secret:
        return None
    admin_session = login_sessions.find(database(), secret, purpose=login_sessions.ADMIN, at=now())
    return admin_session.commenter if admin_session else None


def set_notice(text: str, **facts: Any) -> None:
    """Store a message, and what its links need, for the next page that this person sees."""
    cookie[_NOTICE] = {"text": text, **facts}


def pop_notice() -> dict[str, Any] | None:
    """Return and remove the message for this page."""
    return cast("dict[str, Any] | None", cookie.pop(_NOTICE, None))
