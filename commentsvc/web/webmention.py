"""Receives webmentions: other websites say that they mention an article. A server sends them, not a page of ours."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, request
from flask.typing import ResponseReturnValue

from commentsvc.domain.social import webmentions
from commentsvc.errors import BadAddressError, InvalidFieldsError
from commentsvc.web import access, headers
from commentsvc.web.context import database, limiter, now, writing

blueprint = Blueprint("webmention", __name__)

LIMIT = "60/minute;600/hour"
"""Webmentions per network: a service such as Bridgy sends those of many people."""


@blueprint.post("/webmention")
def receive() -> ResponseReturnValue:
    """Note a webmention, which the background work verifies; 400 if it can never be valid."""
    limiter("webmentions").hit(access.network())
    source, target = request.form.get("source", ""), request.form.get("target", "")
    try:
        webmentions.site_of(database(), source.strip(), target.strip())  # before the lock is taken
        with writing() as session:
            webmentions.receive(session, source, target, at=now())
    except InvalidFieldsError as error:
        raise BadAddressError(" ".join(error.fields.values())) from None
    response: Response = make_response("Thank you. The webmention will be verified soon.\n", 202)
    response.content_type = "text/plain; charset=utf-8"
    return headers.no_store(response)
