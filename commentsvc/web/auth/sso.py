"""Single sign-on for a website's own users: their page gives the frame a signed token, which the frame sends here."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from commentsvc.domain.accounts import single_sign_on
from commentsvc.domain.accounts.single_sign_on import SsoLogin
from commentsvc.errors import LoginFailedError, StaleTokenError
from commentsvc.integrations import sso_tokens
from commentsvc.messages import gettext
from commentsvc.models import Site
from commentsvc.web import headers, origin_check
from commentsvc.web.auth import incoming_avatars, reader
from commentsvc.web.context import now, settings, writing
from commentsvc.web.thread_request import EMBED, ThreadRequest

blueprint = Blueprint("sso", __name__)


@blueprint.post("/login/sso")
def enter() -> ResponseReturnValue:
    """Open a session, valid on this site only, for the person in the token."""
    origin_check.require_own_page()
    site = ThreadRequest.read(EMBED, request.form).address().site
    wants_bearer = request.form.get("want") == "bearer"
    try:
        person = _person(site)
        entered = _enter(site, person)
    except StaleTokenError as error:
        return _answer(400, stage="stale", message=str(error))
    except LoginFailedError as error:
        return _answer(400, stage="failed", message=str(error))
    if entered.token and wants_bearer:
        return _answer(200, stage="done", bearer=entered.token)
    if entered.token:
        incoming_avatars.fetch_avatar(entered.commenter_id, person.picture)
        reader.set_cookie(site.id, entered.token)
    return _answer(200, stage="done")


def _person(site: Site) -> sso_tokens.SsoClaims:
    if site.sso_secret is None:
        raise LoginFailedError(gettext("This website has not set up its own sign-in here."))
    given = request.form.get("sso", "")
    return sso_tokens.read(given, site.sso_secret, audience=settings().base_url, at=now())


def _enter(site: Site, person: sso_tokens.SsoClaims) -> SsoLogin:
    with writing() as session:
        held = reader.current(site.id)
        return single_sign_on.log_in(session, site, person, held=held, browser=reader.browser(), at=now())


def _answer(status: int, **facts: Any) -> Response:
    response = jsonify(facts)
    response.status_code = status
    return headers.no_store(response)
