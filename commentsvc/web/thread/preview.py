"""Renders a text as a comment, without storing it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from commentsvc.domain import fields
from commentsvc.domain.comments import comment_text
from commentsvc.errors import CommentsvcError, InvalidFieldsError
from commentsvc.text import markup
from commentsvc.web import access, error_pages, headers, origin_check, page_language
from commentsvc.web.auth import reader
from commentsvc.web.context import limiter, now, settings
from commentsvc.web.forms import CommentForm
from commentsvc.web.thread.rendering import render_form
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest

blueprint = Blueprint("preview", __name__)

PREVIEWS = "30/minute;300/hour"
"""Per network; a preview costs as much as a comment."""


@blueprint.post(f"{EMBED}/preview", defaults={"mode": EMBED})
@blueprint.post(f"{STANDALONE}/preview", defaults={"mode": STANDALONE})
def preview(mode: str) -> ResponseReturnValue:
    """Render a text without storing it. Scripts get JSON; a browser without script gets the form with the preview."""
    origin_check.require_own_page()
    form = CommentForm(request.form.to_dict())
    thread_request = ThreadRequest.read(mode, form.given)
    if error_pages.wants_json():
        page_language.use_named(form.given)
        return headers.no_store(jsonify(html=str(_rendered(form))))
    return headers.no_store(_page(form, thread_request))


def _rendered(form: CommentForm) -> markup.SafeHtml:
    """Return the comment's HTML; raises InvalidFieldsError, TooManyError."""
    text = fields.text(form.value("text"), longest=settings().max_comment_length)
    limiter("previews").hit(access.network())
    return markup.trusted(comment_text.from_checked(text).rendered.html)


def _page(form: CommentForm, thread_request: ThreadRequest) -> Response:
    address = thread_request.address()
    html, errors, status = None, {}, 200
    try:
        html = _rendered(form)
    except CommentsvcError as error:
        errors = error.fields if isinstance(error, InvalidFieldsError) else {"form": str(error)}
        status = error_pages.status_of(error)
    is_members = form.value("identity") == "member"
    holder = reader.in_thread(thread_request.mode, address.site) if is_members else None
    return render_form(
        thread_request,
        address,
        form,
        at=now(),
        errors=errors,
        holder=holder,
        preview=html,
        status=status,
    )
