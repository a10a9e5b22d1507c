"""/: what this service is, and where to sign in; the same for all readers of a language, and without its sites."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template

from commentsvc.serving.page_cache.policy import CachePolicy, mark_cacheable
from commentsvc.web import headers
from commentsvc.web.context import settings

blueprint = Blueprint("start_page", __name__)


@blueprint.get("/")
def start() -> Response:
    """The start page, where `commentsvc init` sends its owner."""
    response = make_response(render_template("start.html"))
    mark_cacheable(CachePolicy(permanent=True))
    response.vary.add("Accept-Language")
    return headers.cacheable_by_all(response, settings().cdn_seconds)
