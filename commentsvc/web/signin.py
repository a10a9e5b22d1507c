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
    """A page with a button, which says who is about to sign in: programs that look at a mail's links spend none."""
    if arriving := desk.arrival():
        return arriving
    found, present = accounts.find_link(database(), token, at=now()), sessions.who()
    return render_template(
        "admin/sign_in.html",
        token=token,
        person=found.person if found and found.is_open else None,
        provider=reader.label_of(found.provider) if found and found.provider else None,
        other=present if present and found and present.id != found.person.id else None,
    )


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
        found = accounts.find_link(session, token, at=now())
        return desk.signed_out(410, spent=found is None or found.provider is None)
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
