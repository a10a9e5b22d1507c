"""Serves stored avatars, each under a URL that changes with its content."""

from __future__ import annotations

from flask import Blueprint, Response, make_response
from flask.typing import ResponseReturnValue

from commentsvc.domain.reading import avatars
from commentsvc.errors import NotFoundError
from commentsvc.web.context import database

blueprint = Blueprint("avatars", __name__)

CONTENT_TYPE = "image/webp"
"""The format that `text/images.py` produces."""
KEPT_SECONDS = 7 * 24 * 3600
"""Cache lifetime of an avatar, hence how long it may outlive its removal."""


@blueprint.get("/picture/<int:commenter_id>/<digest>")
def picture(commenter_id: int, digest: str) -> ResponseReturnValue:
    """A picture that its owner shows."""
    return _answer(avatars.load(database(), commenter_id, digest))


@blueprint.get("/picture/elsewhere/<digest>")
def foreign_picture(digest: str) -> ResponseReturnValue:
    """Our copy of the picture of somebody who wrote elsewhere."""
    return _answer(avatars.load_foreign(database(), digest))


def _answer(data: bytes | None) -> Response:
    if data is None:
        raise NotFoundError("There is no such picture.")
    response: Response = make_response(data)
    response.content_type = CONTENT_TYPE
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}, immutable"
    return response
