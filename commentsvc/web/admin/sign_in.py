"""Signing in to the admin view by a one-time link, and signing out."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain.accounts import accounts, login_sessions
from commentsvc.errors import LinkSpentError
from commentsvc.web import origin_check
from commentsvc.web.admin import context as admin_context
from commentsvc.web.auth import cookies, reader
from commentsvc.web.context import database, now, writing

blueprint = Blueprint("sign_in", __name__, url_prefix=cookies.ADMIN)


@blueprint.get("/sign-in/<token>")
def ask(token: str) -> ResponseReturnValue:
    """A page with a button that names the person: link scanners in mail programs must not use up the link."""
    if arriving := admin_context.arrival():
        return arriving
    link, present = accounts.find_link(database(), token, at=now()), cookies.signed_in_moderator()
    return render_template(
        "admin/sign_in.html",
        token=token,
        person=link.person if link and link.is_open else None,
        provider=reader.label_of(link.provider) if link and link.provider else None,
        other=present if present and link and present.id != link.person.id else None,
    )


@blueprint.post("/sign-in/<token>")
def enter(token: str) -> ResponseReturnValue:
    """Use up the link and open a session; an earlier session of this browser ends."""
    origin_check.require_own_page()
    try:
        with writing() as session:
            secret = accounts.redeem_link(session, token, at=now(), browser=reader.browser())
            if earlier := cookies.token():
                login_sessions.end(session, earlier)
    except LinkSpentError:
        link = accounts.find_link(database(), token, at=now())
        return admin_context.signed_out(410, spent=link is None or link.provider is None)
    cookies.begin(secret)
    return redirect(url_for("queue.listing"), 303)


@blueprint.post("/sign-out")
def leave() -> ResponseReturnValue:
    """End the session in the browser and in the database."""
    origin_check.require_own_page()
    if secret := cookies.token():
        with writing() as session:
            login_sessions.end(session, secret)
    cookies.end()
    return redirect(url_for("queue.listing"), 303)
