"""/counts: how many comments many articles have, in one answer, for any page that asks."""

from __future__ import annotations

from urllib.parse import unquote

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from commentsvc.domain import addresses, reading, sites, threads
from commentsvc.domain.threads import Address
from commentsvc.errors import BadAddressError, UnknownOriginError
from commentsvc.models import Site
from commentsvc.web.context import database

blueprint = Blueprint("counts", __name__)

MOST = 200
_NAMED = "#thread-id="


@blueprint.get("/counts")
def counts() -> ResponseReturnValue:
    """{url: count} for each `url` asked for; what is no article of any site here counts 0.

    A thread that its page named by an id is asked for as `URL#thread-id=ID`.
    """
    urls = list(dict.fromkeys(request.args.getlist("url")))
    if len(urls) > MOST:
        raise BadAddressError(f"Please ask for at most {MOST} addresses at once.")
    known: dict[str, Site | None] = {}
    found = {url: address for url in urls if (address := _address(url, known))}
    numbers = reading.counts(database(), list(found.values()))
    response = jsonify(dict.fromkeys(urls, 0) | dict(zip(found, numbers, strict=True)))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "public, max-age=60"
    return response


def _address(asked: str, known: dict[str, Site | None]) -> Address | None:
    url, _, page_id = asked.partition(_NAMED)
    try:
        origin = addresses.origin_of(url)
        if origin not in known:
            known[origin] = _site(origin)
        site = known[origin]
        return threads.address_on(site, url, page_id=unquote(page_id)) if site else None
    except BadAddressError:
        return None


def _site(origin: str) -> Site | None:
    try:
        return sites.by_origin(database(), origin)
    except UnknownOriginError:
        return None
