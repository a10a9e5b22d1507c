"""/comments.ndjson: a site's public comments, a JSON record in each line, for builds that keep all of them."""

from __future__ import annotations

from flask import Blueprint, Response, json, request
from flask.typing import ResponseReturnValue

from commentsvc.domain.reading import public_changes
from commentsvc.domain.reading.public_changes import StreamPosition
from commentsvc.web import access, headers, page_language
from commentsvc.web.context import database, limiter, now

blueprint = Blueprint("comment_stream", __name__)

LIMIT = "300/minute"


@blueprint.get("/comments.ndjson")
def comments() -> ResponseReturnValue:
    """The records of a site; with `since`, of threads that have changed; with `after`, further ones.

    An answer is bounded, and made before it is sent: a slow reader must not hold one of the few threads.
    """
    limiter("comment streams").hit(access.network())
    site = public_changes.site_named(database(), request.args.get("site", ""))
    page_language.use_sites(site)
    since = public_changes.time_of(request.args["since"]) if "since" in request.args else None
    position = (
        StreamPosition.parse(request.args["after"]) if "after" in request.args else StreamPosition(now())
    )
    records = public_changes.records(database(), site, since, position)
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    response = Response(lines, mimetype="application/x-ndjson")
    response.headers["X-Robots-Tag"] = "noindex"
    return headers.no_store(response)
