"""Renders a text as it would look as a comment, and stores nothing."""

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
"""For one network; a preview takes as much work as a comment."""


@blueprint.post(f"{EMBED}/preview")
def preview() -> ResponseReturnValue:
    """Render a text without keeping it."""
    origin_check.require_own_page()
    text = fields.text(request.form.get("text", ""), longest=settings().max_comment_length)
    limiter("previews").hit(access.network())
    draft = comment_text.from_checked(text)
    return headers.no_store(jsonify(html=str(markup.trusted(draft.rendered.html))))
