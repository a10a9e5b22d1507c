"""From the frame to the person's own page: the frame asks for a pass, and a form in it goes there with the pass."""

from __future__ import annotations

from flask import Blueprint, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from commentsvc.db import begin_write
from commentsvc.domain.persons import passes, sessions
from commentsvc.errors import LoggedOutError
from commentsvc.web import access, headers, reader
from commentsvc.web.context import database, now
from commentsvc.web.sessions import ACCOUNT
from commentsvc.web.thread import FRAME, Asked

blueprint = Blueprint("handover", __name__)


@blueprint.post(f"{FRAME}/pass")
def give() -> ResponseReturnValue:
    """Give the reader who is logged in here a token for their own page."""
    access.require_own_page()
    reader.require_token()
    site_id = Asked.read(FRAME, request.form).address().site.id
    session = database()
    begin_write(session)
    holder = reader.current(site_id)
    if holder is None:
        raise LoggedOutError
    token = passes.issue(session, holder, at=now())
    session.commit()
    return headers.keep_nothing(jsonify({"pass": token}))


@blueprint.post(f"{ACCOUNT}/enter")
def take() -> ResponseReturnValue:
    """Take the token and open the page. A session that this browser had there before ends."""
    access.require_own_page()
    session = database()
    begin_write(session)
    token = passes.redeem(session, request.form.get("pass", "")[:200], browser=reader.browser(), at=now())
    if earlier := reader.token(None):
        sessions.end(session, earlier)
    session.commit()
    reader.keep(None, token)
    return redirect(ACCOUNT, 303)
