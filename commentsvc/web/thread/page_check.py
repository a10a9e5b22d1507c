"""What a page's owner learns with `?commentsvc-doctor` on their page: nothing that its readers could not see.

`static/doctor.js`, which embed.js loads then, asks here which thread the page has, and whether its frames may store
something.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from flask import Blueprint, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from commentsvc.domain import article_urls
from commentsvc.domain.sites import near_origins, previews
from commentsvc.errors import BadAddressError, UnknownOriginError
from commentsvc.web import headers
from commentsvc.web.context import database, settings
from commentsvc.web.thread_request import EMBED, ThreadRequest

blueprint = Blueprint("page_check", __name__)


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the service knows of a page, from its address alone."""

    origin: str
    """Empty if the address is none."""
    registered: bool = False
    preview: bool = False
    reading: bool = False
    """Whether the page may only show comments."""
    article: str = ""
    """The address of the article whose thread it is."""
    near: tuple[str, ...] = ()
    """Registered origins that the page's own may be meant to be."""
    pattern: str = ""
    """How previews like this page are entered."""
    add: str = ""
    """Where an owner adds the origin."""


@blueprint.get(f"{EMBED}/doctor")
def facts() -> ResponseReturnValue:
    """Return what the service knows of a page, for a script on that page."""
    response = headers.no_store(jsonify(asdict(_facts(ThreadRequest.read(EMBED, request.args)))))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.get(f"{EMBED}/doctor/frame")
def frame() -> ResponseReturnValue:
    """A frame that tells the page around it whether it may store something; it has no content and knows nobody."""
    headers.allow_framing(["*"])
    return headers.no_store(make_response(render_template("thread/page_check.html")))


def _facts(thread_request: ThreadRequest) -> PageFacts:
    try:
        address = thread_request.address()
    except UnknownOriginError as error:
        link = settings().origin + url_for("new_origin.page", origin=error.origin)
        near = tuple(near_origins.registered(database(), error.origin))
        return PageFacts(error.origin, near=near, pattern=previews.pattern_of(error.origin), add=link)
    except BadAddressError:
        return PageFacts("")
    return PageFacts(
        article_urls.page_origin(thread_request.url),
        registered=True,
        preview=bool(address.preview_origin),
        reading=address.is_read_only,
        article=address.url,
    )
