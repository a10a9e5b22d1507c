"""/doctor: tells `commentsvc doctor`, and nobody else, whether this process runs with what the doctor sees."""

from __future__ import annotations

from flask import Blueprint, abort, make_response, request
from flask.typing import ResponseReturnValue

from commentsvc.domain.maintenance import setup_check
from commentsvc.domain.maintenance.setup_check import SetupAnswer
from commentsvc.web import access
from commentsvc.web.context import limiter, now, services, settings, writing

HEADER = "X-Setup-Check"
"""The request header with the signed nonce; a form field would be parsed before its sender is known."""
LIMIT = "60/minute"
"""Signed questions, from everybody together; others do not get so far."""
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

blueprint = Blueprint("setup_check", __name__)


@blueprint.route("/doctor", methods=_METHODS, provide_automatic_options=False)
def answer() -> ResponseReturnValue:
    """Compare the doctor's keyed hashes with our own; without its signature, answer as an unknown address does."""
    secret = settings().secret_key
    nonce = setup_check.nonce_of(secret, request.headers.get(HEADER, ""), at=now())
    if nonce is None or request.method != "POST":
        abort(404)
    limiter("setup checks").hit("doctor")
    with writing() as session:
        if not setup_check.spend(session, nonce, at=now()):
            abort(404)
    own = setup_check.hashes(settings(), services().code, nonce)
    found = SetupAnswer(
        lines=setup_check.compared(own, request.form),
        by_trusted_proxy=access.is_from_proxy(),
        forwarded=access.is_forwarded(),
        service=services().run,
    )
    response = make_response(found.signed(secret, nonce))
    response.mimetype = "text/plain"
    return response
