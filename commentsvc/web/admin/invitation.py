"""An invitation to moderate a site: what it offers, and the ways to log in and accept it."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue

from commentsvc.domain.accounts import invitations
from commentsvc.errors import LinkSpentError
from commentsvc.web.auth import cookies
from commentsvc.web.context import database, now, providers

blueprint = Blueprint("invitation", __name__, url_prefix=cookies.ADMIN)


@blueprint.get("/invite/<token>")
def page(token: str) -> ResponseReturnValue:
    """A page with buttons; viewing it does not use up the invitation."""
    try:
        offer = invitations.find(database(), token, at=now())
    except LinkSpentError:
        return make_response(render_template("admin/invitation.html", offer=None), 410)
    return render_template(
        "admin/invitation.html", offer=offer, token=token, providers=list(providers().values())
    )
