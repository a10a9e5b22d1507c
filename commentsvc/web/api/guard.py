"""The guards of the API, which check tokens. A token comes in a header, which no page can send by itself.

Cookies are never read here, so that no page can act with the rights of a visitor's browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from commentsvc.db.outage import is_unavailability
from commentsvc.domain import actions
from commentsvc.domain.accounts import api_tokens
from commentsvc.errors import NotFoundError, ServiceMovingError
from commentsvc.models import ApiToken
from commentsvc.web import access
from commentsvc.web.api import calls
from commentsvc.web.api.operations import Operation
from commentsvc.web.context import database, limiter, now, writing
from commentsvc.web.problems import RefusedCallError

CALLS = "600/minute"
"""Of one token."""
REFUSALS = "60/minute"
"""Calls from one network without a valid token."""
READING = "300/minute"
"""Public calls from one network that no cache has answered."""
_MISSING = "This needs a token: Authorization: Bearer csvc_…"
_INVALID = "This token is not valid: it is unknown, expired or revoked."


def count_reading() -> None:
    """Count a call that needs no token; raises TooManyError."""
    limiter("api reading").hit(access.network())


def guard_of(operations: Mapping[tuple[str, str], Operation]) -> Callable[[], ResponseReturnValue | None]:
    """Return the guard of the operations that need a token, by rule and method."""

    def guard() -> None:
        if request.method == "OPTIONS":
            return  # Flask lists the methods; without CORS headers there, no browser sends a token
        token = _token()
        limiter("api calls").hit(str(token.id))
        scope = operations[str(request.url_rule), calls.method()].scope
        if scope not in token.scopes:
            refusal = f'Bearer error="insufficient_scope", scope="{scope}"'
            raise RefusedCallError(
                403, f"This token lacks the scope {scope}.", headers={"WWW-Authenticate": refusal}
            )
        site_id = (request.view_args or {}).get("site_id")
        if site_id is not None and api_tokens.role_on(database(), token, site_id) is None:
            raise NotFoundError("There is no such site, or this token is not for it.")
        _note_use(token)
        g.api_token = token
        actions.act_by_program(database(), token.name)

    return guard


def _token() -> ApiToken:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    token = api_tokens.find(database(), text.strip(), at=now()) if scheme.lower() == "bearer" else None
    if token is None:
        limiter("api refusals").hit(access.network())
        error = ' error="invalid_token"' if text else ""
        raise RefusedCallError(
            401, _INVALID if text else _MISSING, headers={"WWW-Authenticate": f"Bearer{error}"}
        )
    return token


def _note_use(token: ApiToken) -> None:
    """Note the day of the use, once a day; a database that cannot be written may still be read."""
    at = now()
    if token.last_used_on == at.date():
        return
    try:
        with writing() as session:
            api_tokens.note_use(session, token, at=at)
    except (SQLAlchemyError, ServiceMovingError) as error:
        if not is_unavailability(error):
            raise
