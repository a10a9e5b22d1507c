"""/fragment: a thread as plain HTML, which a website's generator puts into the page that it builds."""

from __future__ import annotations

from flask import Blueprint, make_response, request
from flask.typing import ResponseReturnValue

from commentsvc.domain.reading import structured_data
from commentsvc.domain.threads import threads
from commentsvc.domain.threads.versions import VersionStamp
from commentsvc.serving.page_cache.policy import CachePolicy, mark_cacheable
from commentsvc.web import headers
from commentsvc.web.context import database, now, settings
from commentsvc.web.thread import thread_fragments
from commentsvc.web.thread.thread_fragments import FRAGMENT, FragmentSource
from commentsvc.web.thread_request import ThreadRequest

blueprint = Blueprint("fragments", __name__)


@blueprint.get(FRAGMENT)
def fragment() -> ResponseReturnValue:
    """The thread of an article; 404 if no site has its origin, an empty one if nobody has commented yet.

    There is no CORS header: generators need none, and in a reader's browser our HTML belongs into a frame.
    """
    at = now()
    thread_request = ThreadRequest.read(FRAGMENT, request.args)
    address = thread_request.address()
    node_id = structured_data.checked_node_id(address.site, request.args.get("node", ""))
    thread = threads.find(database(), address)
    source = FragmentSource(address.site, thread, thread_fragments.page_url(thread_request))
    part = thread_fragments.first_part(database(), source, after=request.args.get("after"))
    response = make_response(thread_fragments.render(source, part, at=at, node_id=node_id))
    if part.next_cursor:
        following = thread_request.link(after=part.next_cursor, node=node_id)
        response.headers["Link"] = f'<{settings().origin}{following}>; rel="next"'
    response.headers["X-Robots-Tag"] = "noindex"
    changes = threads.changes_at(address.site, thread, after=at)
    seconds = (changes - at).total_seconds() if changes else float("inf")
    mark_cacheable(CachePolicy(VersionStamp.read(address, thread), seconds=seconds))
    return headers.cacheable_by_all(response, settings().cdn_seconds)
