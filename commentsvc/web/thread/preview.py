"""Renders a text as a comment, without storing it."""

from __future__ import annotations

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from commentsvc.domain import fields
from commentsvc.domain.comments import comment_text
from commentsvc.text import markup
from commentsvc.web import access, headers, origin_check
from commentsvc.web.context import limiter, settings
from commentsvc.web.thread_request import EMBED

blueprint = Blueprint("preview", __name__)

PREVIEWS = "30/minute;300/hour"
"""Per network; a preview costs as much as a comment."""


@blueprint.post(f"{EMBED}/preview")
def preview() -> ResponseReturnValue:
    """Render a text without storing it."""
    origin_check.require_own_page()
    text = fields.text(request.form.get("text", ""), longest=settings().max_comment_length)
    limiter("previews").hit(access.network())
    draft = comment_text.from_checked(text)
    return headers.no_store(jsonify(html=str(markup.trusted(draft.rendered.html))))
