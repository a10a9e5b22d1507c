"""The latest comments of a site as a small page, which stands in a frame beside articles."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc.domain import article_urls
from commentsvc.domain.reading import latest_comments
from commentsvc.domain.reading.page_sizes import LIST, LONGEST_LIST
from commentsvc.domain.sites import sites
from commentsvc.errors import NotFoundError
from commentsvc.messages import gettext
from commentsvc.serving.page_cache.policy import CachePolicy, mark_cacheable
from commentsvc.web import headers, page_language
from commentsvc.web.context import database, settings
from commentsvc.web.request_values import query_number

blueprint = Blueprint("latest", __name__)

_SECONDS = 1.0
"""How long the page is served before it is read again, like a site's feed."""


@blueprint.get("/latest")
def page() -> ResponseReturnValue:
    """The `number` latest comments of the site that has `origin`, each with a link to its place."""
    site = sites.by_origin(database(), article_urls.page_origin(request.args.get("origin", "")))
    page_language.use_for_site(site, page_language.asked(request.args), framed=True)
    if not site.comment_feeds:
        raise NotFoundError(gettext("This site offers no list of its latest comments."))
    number = query_number("number") or LIST
    origins = [item.origin for item in site.origins]
    html = render_template(
        "latest.html",
        latest=latest_comments.on_site(database(), site, most=number if number <= LONGEST_LIST else LIST),
        origins=" ".join(origins),
    )
    headers.allow_framing(origins)
    mark_cacheable(CachePolicy(seconds=_SECONDS))
    return headers.cacheable_by_all(make_response(html), settings().cdn_seconds)
