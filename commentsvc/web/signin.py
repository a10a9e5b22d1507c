"""Into the admin view by a one-time link, and out of it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue

from commentsvc.db import begin_write
from commentsvc.domain.persons import accounts
from commentsvc.errors import LinkSpentError
from commentsvc.web import access, desk, reader, sessions
from commentsvc.web.context import database, now

blueprint = Blueprint("signin", __name__, url_prefix=sessions.ADMIN)


@blueprint.get("/sign-in/<token>")
def ask(token: str) -> ResponseReturnValue:
    """A page with a button: programs that look at the links in a mail must not spend this one."""
    return desk.arrival() or render_template("admin/sign_in.html", token=token)


@blueprint.post("/sign-in/<token>")
def enter(token: str) -> ResponseReturnValue:
    """Spend the link and open a session; one that this browser had before ends."""
    access.require_own_page()
    session = database()
    begin_write(session)
    try:
        secret = accounts.redeem_link(session, token, at=now(), browser=reader.browser())
    except LinkSpentError:
        session.rollback()
        return desk.signed_out(410, spent=True)
    if earlier := sessions.token():
        accounts.sign_out(session, earlier)
    session.commit()
    sessions.begin(secret)
    return redirect(sessions.ADMIN, 303)


@blueprint.post("/sign-out")
def leave() -> ResponseReturnValue:
    """End the session, here and in the database."""
    access.require_own_page()
    if secret := sessions.token():
        session = database()
        begin_write(session)
        accounts.sign_out(session, secret)
        session.commit()
    sessions.end()
    return redirect(sessions.ADMIN, 303)
