"""From the frame to the person's own page: the frame asks for a token, and sends a form with the token to the page.

Browsers only let a click open a window, so the form is sent at the same time as the request for the token. Its window
may come first; then it asks again.
"""

from __future__ import annotations

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.accounts import handoff_tokens, login_sessions
from commentsvc.errors import LoggedOutError, LoginFailedError
from commentsvc.web import headers, origin_check
from commentsvc.web.auth import reader
from commentsvc.web.auth.cookies import ACCOUNT
from commentsvc.web.context import database, now, writing
from commentsvc.web.request_values import form_number
from commentsvc.web.thread_request import EMBED, ThreadRequest

blueprint = Blueprint("handoff", __name__)

TRIES = 20
"""How often a window asks for its token, every half second, before it gives up."""


@blueprint.post(f"{EMBED}/pass")
def grant() -> ResponseReturnValue:
    """Give the reader who is logged in here a token for their own page."""
    origin_check.require_own_page()
    reader.require_token()
    site_id = ThreadRequest.read(EMBED, request.form).address().site.id
    with writing() as session:
        holder = reader.current(site_id)
        if holder is None:
            raise LoggedOutError
        token = handoff_tokens.issue(session, holder, token=request.form.get("pass", "")[:200], at=now())
    return headers.no_store(jsonify({"pass": token}))


@blueprint.post(f"{ACCOUNT}/enter")
def redeem() -> ResponseReturnValue:
    """Use up the token and open the page. An earlier session of this browser there ends."""
    origin_check.require_own_page()
    given, tries = request.form.get("pass", "")[:200], _tries()
    if tries < TRIES and not handoff_tokens.is_known(database(), given):
        html = render_template("account/entering.html", given=given, tries=tries + 1)
        return headers.no_store(make_response(html, 202))
    try:
        with writing() as session:
            token = handoff_tokens.redeem(session, given, browser=reader.browser(), at=now())
            if earlier := reader.token(None):
                login_sessions.end(session, earlier)
    except LoginFailedError as error:
        html = render_template("account/not_entered.html", message=str(error))
        return headers.no_store(make_response(html, 400))
    reader.set_cookie(None, token)
    return redirect(url_for("account.home"), 303)


def _tries() -> int:
    """Return how often this window has asked; TRIES if it does not wait for a token."""
    tries = form_number("tries", TRIES)
    return TRIES if tries is None else tries
