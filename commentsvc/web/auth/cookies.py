"""Who is signed in, and the cookies that remember it: one for each part of the service, none elsewhere."""

from __future__ import annotations

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
    "/thread",
    ACCOUNT,
)
"""Where a reader's session counts. Not the frame's page itself: that is the same for everybody."""
_TOKEN = "token"  # noqa: S105 - the name under which the cookie holds it
_NOTICE = "notice"


def init_app(app: Flask, settings: Settings) -> None:
    """Give each part of the service its cookie, and make forms last as long as their session."""
    app.config.update(
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(days=60),  # each session in the database ends by itself before
        WTF_CSRF_TIME_LIMIT=None,  # an hour's work in an open form must not be lost
        WTF_CSRF_SSL_STRICT=False,  # origin_check.require_own_page looks at Origin, which proxies leave alone
    )
    admin = CookieSessions(Cookie("admin", samesite="Strict", secure=settings.secure))
    login = CookieSessions(Cookie("login", samesite="Lax", secure=settings.secure))
    app.session_interface = SessionsByPath(
        dict.fromkeys(READER_PATHS, READER_COOKIE) | {"/login": login, ADMIN: admin}
    )


@dataclass(frozen=True)
class Cookie:
    """How a part's cookie is called and sent. Without https it can have neither `Secure` nor the prefix."""

    part: str
    samesite: str
    secure: bool
    partitioned: bool = False

    @property
    def name(self) -> str:
        return f"__Host-{self.part}" if self.secure else f"commentsvc_{self.part}"


class CookieSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, with attributes of its own; one part's cookie means nothing to another."""

    def __init__(self, cookie: Cookie) -> None:
        self.cookie = cookie
        self.salt = f"commentsvc.session.{cookie.part}"

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "Cookie" not in request.headers:  # as a guest's: there is no signature to be checked
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session or session.accessed or session.modified:  # else there is nothing to be said of it
            super().save_session(app, session, response)

    def get_cookie_name(self, app: Flask) -> str:
        return self.cookie.name

    def get_cookie_domain(self, app: Flask) -> str | None:
        return None

    def get_cookie_path(self, app: Flask) -> str:
        return "/"  # what the prefix __Host- asks for

    def get_cookie_httponly(self, app: Flask) -> bool:
        return True

    def get_cookie_secure(self, app: Flask) -> bool:
        return self.cookie.secure

    def get_cookie_samesite(self, app: Flask) -> str | None:
        return self.cookie.samesite

    def get_cookie_partitioned(self, app: Flask) -> bool:
        return self.cookie.partitioned


# In a frame only a partitioned cookie is kept, and only a secure one can be that; browsers hold loopback for secure.
READER_COOKIE = CookieSessions(Cookie("reader", samesite="None", secure=True, partitioned=True))


class SessionsByPath(SessionInterface):
    """Chooses the cookie by the path asked for. Elsewhere none is set or read, so those pages may be cached."""

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


def begin(secret: str) -> None:
    """Remember a session's token in the cookie; nothing that was in it before survives."""
    cookie.clear()
    cookie[_TOKEN] = secret
    cookie.permanent = True


def end() -> None:
    """Forget everything the cookie held."""
    cookie.clear()


def token() -> str | None:
    """Return the session's token as the cookie has it, whether or not it is still good."""
    result = cookie.get(_TOKEN)
    return result if isinstance(result, str) else None


def signed_in_moderator() -> Commenter | None:
    """Return the person who is signed in to the admin view."""
    secret = token()
    if not secret:
        return None
    admin_session = login_sessions.find(database(), secret, purpose=login_sessions.ADMIN, at=now())
    return admin_session.commenter if admin_session else None


def set_notice(text: str, **facts: Any) -> None:
    """Keep a sentence, and what its links need, for the next page this person sees."""
    cookie[_NOTICE] = {"text": text, **facts}


def pop_notice() -> dict[str, Any] | None:
    """Return the sentence left for this page, once."""
    return cast("dict[str, Any] | None", cookie.pop(_NOTICE, None))
