"""The whole API on one screen: every operation with what it takes, answers and raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import groupby
from operator import attrgetter

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from commentsvc.models import TokenScope
from commentsvc.web.api import (
    answers,
    bans,
    calls,
    decisions,
    document,
    exports,
    guard,
    moderated_comments,
    public_reading,
    representations,
    sites,
)
from commentsvc.web.api.operations import PREFIX, Operation
from commentsvc.web.api.public_reading import AFTER, AFTER_ID, LIMIT, OF_ARTICLE, OF_SITE, PAGE_ID, URLS
from commentsvc.web.context import settings

READ, MODERATE, WRITE = TokenScope.READ, TokenScope.MODERATE, TokenScope.WRITE
_SITE = "/sites/<site:site_id>"
_COMMENT = f"{_SITE}/comments/<int:comment_id>"
_THREAD = f"{_SITE}/threads/<int:thread_id>"
_PAGE = {"limit": LIMIT, "after": AFTER}
_LATER = {"after": AFTER_ID}
_NAMED = frozenset({404})
"""A site or an article that is named in the query does not exist."""
_PATH = attrgetter("path")

PUBLIC = (
    Operation(
        *("counts", "GET", "/counts", "Count the comments of articles", public_reading.counts),
        answer=public_reading.COUNTS,
        query={"url": URLS},
        required=frozenset({"url"}),
    ),
    Operation(
        *("list_threads", "GET", "/threads", "List the threads of a site, the latest first"),
        public_reading.list_threads,
        answer=representations.THREADS,
        query={"site": OF_SITE, "limit": LIMIT, "after": AFTER_ID},
        required=frozenset({"site"}),
        raises=_NAMED,
        pages=True,
    ),
    Operation(
        *("find_thread", "GET", "/thread", "Find the thread of an article", public_reading.find_thread),
        answer=representations.THREAD,
        query={"url": OF_ARTICLE, "thread_id": PAGE_ID},
        required=frozenset({"url"}),
        raises=_NAMED,
    ),
    Operation(
        *("get_thread", "GET", "/threads/<int:thread_id>", "Read a thread", public_reading.get_thread),
        answer=representations.THREAD,
    ),
    Operation(
        *("thread_comments", "GET", "/threads/<int:thread_id>/comments"),
        "List the comments of a thread, the oldest first",
        public_reading.thread_comments,
        answer=representations.COMMENTS,
        query=_PAGE,
        pages=True,
    ),
    Operation(
        *("latest_comments", "GET", "/comments", "List the comments of a site, the latest first"),
        public_reading.latest_comments,
        answer=representations.COMMENTS,
        query={"site": OF_SITE, **_PAGE},
        required=frozenset({"site"}),
        raises=_NAMED,
        pages=True,
    ),
    Operation(
        *("get_comment", "GET", "/comments/<int:comment_id>", "Read a comment", public_reading.get_comment),
        answer=representations.COMMENT,
    ),
)
BY_TOKEN = (
    Operation(
        *("list_sites", "GET", "/sites", "List the sites of the token", sites.list_sites),
        answer=sites.SITES,
        scope=READ,
    ),
    Operation(
        *("list_moderated_comments", "GET", f"{_SITE}/comments"),
        "List or search comments of any status, the latest first",
        moderated_comments.list_comments,
        answer=moderated_comments.COMMENTS,
        scope=READ,
        query=moderated_comments.QUERY,
        pages=True,
    ),
    Operation(
        *("get_moderated_comment", "GET", _COMMENT, "Read a comment", moderated_comments.get_comment),
        answer=moderated_comments.COMMENT,
        scope=READ,
        has_tag=True,
    ),
    Operation(
        *("change_comment", "PATCH", _COMMENT, "Edit a comment; undo restores it"),
        moderated_comments.change_comment,
        answer=moderated_comments.COMMENT,
        scope=WRITE,
        body=moderated_comments.CHANGE,
        if_match=True,
        has_tag=True,
    ),
    Operation(
        *("delete_comment", "DELETE", _COMMENT, "Delete spam or trash for good; for owners"),
        moderated_comments.delete_comment,
        scope=WRITE,
        success=204,
        raises=frozenset({409}),
    ),
    Operation(
        *("reply", "POST", f"{_COMMENT}/replies", "Reply in the name of who created the token"),
        decisions.reply,
        answer=decisions.REPLIED,
        scope=WRITE,
        body=decisions.REPLY,
        success=201,
        raises=frozenset({409}),
        idempotent=True,
    ),
    Operation(
        *("decide", "POST", f"{_SITE}/decisions", "Approve, hold, spam, trash or restore comments"),
        decisions.decide,
        answer=decisions.DECIDED,
        scope=MODERATE,
        body=decisions.DECISION,
        idempotent=True,
    ),
    Operation(
        *("list_actions", "GET", f"{_SITE}/actions", "Read the log of actions, the latest first"),
        decisions.list_actions,
        answer=decisions.ACTIONS,
        scope=READ,
        query=_LATER,
        pages=True,
    ),
    Operation(
        *("undo", "POST", f"{_SITE}/actions/<int:action_id>/undo", "Undo an action", decisions.undo),
        answer=decisions.UNDONE,
        scope=MODERATE,
        raises=frozenset({409}),
    ),
    Operation(
        *("list_moderated_threads", "GET", f"{_SITE}/threads", "List or search threads, the latest first"),
        sites.list_threads,
        answer=sites.THREADS,
        scope=READ,
        query=sites.QUERY,
        pages=True,
    ),
    Operation(
        *("get_moderated_thread", "GET", _THREAD, "Read a thread", sites.get_thread),
        answer=sites.THREAD,
        scope=READ,
        has_tag=True,
    ),
    Operation(
        *("change_thread", "PATCH", _THREAD, "Close a thread or open it again", sites.change_thread),
        answer=sites.THREAD,
        scope=MODERATE,
        body=sites.CHANGE,
        if_match=True,
        has_tag=True,
    ),
    Operation(
        *("list_bans", "GET", f"{_SITE}/bans", "List bans, the latest first", bans.list_bans),
        answer=bans.BANS,
        scope=MODERATE,
        query=_LATER,
        pages=True,
    ),
    Operation(
        *("add_ban", "POST", f"{_SITE}/bans", "Ban an author, a network or a domain", bans.add_ban),
        answer=bans.BANNED,
        scope=MODERATE,
        body=bans.NEW_BAN,
        success=201,
        idempotent=True,
    ),
    Operation(
        *("lift_ban", "DELETE", f"{_SITE}/bans/<int:ban_id>", "Lift a ban", bans.lift_ban),
        scope=MODERATE,
        success=204,
    ),
    Operation(
        *("export", "GET", f"{_SITE}/export", "Download everything; for owners", exports.export),
        scope=TokenScope.EXPORT,
        query={"format": exports.FORMAT},
        required=frozenset({"format"}),
        files=exports.MEDIA_TYPES,
    ),
)
OPERATIONS = (*PUBLIC, *BY_TOKEN)

public = Blueprint("api_public", __name__)
by_token = Blueprint("api", __name__, url_prefix=PREFIX)
token_guard = guard.guard_of({(PREFIX + each.path, each.method): each for each in BY_TOKEN})


@public.get("/api/openapi.json")
def openapi() -> Response:
    """Return the document that describes the API."""
    return answers.public(_document(settings().base_url))


@public.after_request
def _for_all_pages(response: Response) -> Response:
    """Let the scripts of any page read public answers: they are the same for all, with cookies or without."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Link, Retry-After"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@cache
def _document(server: str) -> dict[str, object]:
    return document.build(OPERATIONS, server=server)


def _add_rules(blueprint: Blueprint, operations: Sequence[Operation], prefix: str) -> None:
    """Add one rule for each path, with all its methods.

    With a rule for each method, Werkzeug would answer an id that is too large with 405 instead of 404.
    """
    for path, of_path in groupby(sorted(operations, key=_PATH), key=_PATH):
        by_method = {operation.method: operation for operation in of_path}
        name = path.strip("/")
        blueprint.add_url_rule(prefix + path, name, _view_of(name, by_method), methods=list(by_method))


def _view_of(name: str, operations: Mapping[str, Operation]) -> Callable[..., ResponseReturnValue]:
    def view(**path: int) -> ResponseReturnValue:
        operation = operations[calls.method()]
        if operation.is_public:
            guard.count_reading()
        return operation.view(calls.read(operation, path))

    view.__name__ = name  # Flask-WTF asks for it
    return view


_add_rules(public, PUBLIC, PREFIX)
_add_rules(by_token, BY_TOKEN, "")
