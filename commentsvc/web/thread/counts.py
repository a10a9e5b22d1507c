"""/counts: the numbers of comments of many articles in one response."""

from __future__ import annotations

from urllib.parse import parse_qs

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from commentsvc.domain.threads import comment_counts
from commentsvc.errors import BadAddressError
from commentsvc.serving.page_cache.policy import CachePolicy, mark_cacheable
from commentsvc.web.context import database

blueprint = Blueprint("counts", __name__)

MOST = 200


@blueprint.get("/counts")
def counts() -> ResponseReturnValue:
    """Return {url: count} for each `url` parameter; 0 for a URL that is not an article of any site.

    A thread whose page gives it an id is requested as `URL#thread-id=ID`.
    """
    # Unchanged, because the caller looks numbers up by them; invalid ones are refused below.
    given = parse_qs(request.query_string.decode("utf-8", "replace"), keep_blank_values=True)
    urls = list(dict.fromkeys(given.get("url", [])))
    if len(urls) > MOST:
        raise BadAddressError(f"Please ask for at most {MOST} addresses at once.")
    response = jsonify(comment_counts.by_url(database(), urls))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "public, max-age=60"
    mark_cacheable(CachePolicy(seconds=1))
    return response
