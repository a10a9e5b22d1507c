"""/counts: the numbers of comments of many articles in one response."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from commentsvc.domain import article_urls
from commentsvc.domain.sites import sites
from commentsvc.domain.threads import comment_counts, threads
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import BadAddressError
from commentsvc.models import Site
from commentsvc.serving.page_cache.policy import CachePolicy, mark_cacheable
from commentsvc.web.context import database

blueprint = Blueprint("counts", __name__)

MOST = 200
_NAMED = "#thread-id="


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
    origins = {url: origin for url in urls if (origin := _origin(url))}
    known = sites.by_origins(database(), set(origins.values()))
    addresses = {
        url: address
        for url, origin in origins.items()
        if origin in known and (address := _address(url, known[origin]))
    }
    numbers = comment_counts.counts(database(), list(addresses.values()))
    response = jsonify(dict.fromkeys(urls, 0) | dict(zip(addresses, numbers, strict=True)))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "public, max-age=60"
    mark_cacheable(CachePolicy(seconds=1))
    return response


def _origin(thread_request: str) -> str | None:
    try:
        return article_urls.page_origin(thread_request.partition(_NAMED)[0])
    except BadAddressError:
        return None


def _address(thread_request: str, site: Site) -> ThreadAddress | None:
    url, _, page_id = thread_request.partition(_NAMED)
    try:
        return threads.address_on(site, url, page_id=unquote(page_id))
    except BadAddressError:
        return None
