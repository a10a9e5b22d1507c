"""Readers like a comment or vote on it, and take that back. Nothing is stored for those who only read."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc.domain.accounts import accounts
from commentsvc.domain.authors import Author
from commentsvc.domain.reading import thread_pages
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.domain.votes import votes
from commentsvc.domain.votes.votes import VoteState
from commentsvc.errors import (
    CommentsvcError,
    InvalidFieldsError,
    NotFoundError,
    OtherPersonError,
    StaleFormError,
)
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Comment, LoginSession
from commentsvc.web import access, error_pages, headers, origin_check, own_edits
from commentsvc.web.auth import reader
from commentsvc.web.context import database, limiter, now, writing
from commentsvc.web.thread.rendering import form_identity
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest

blueprint = Blueprint("voting", __name__)

LIMIT = "30/minute;300/hour"
"""Votes per network."""
_PATH = "/comments/<int:comment_id>/vote"
_VALUES = {"1": 1, "0": 0, "-1": -1}
_DONE = {
    1: gettext_noop("Your vote for this comment is stored."),
    0: gettext_noop("Your vote on this comment is taken back."),
    -1: gettext_noop("Your vote against this comment is stored."),
}


@blueprint.route(f"{EMBED}{_PATH}", methods=["GET", "POST"], defaults={"mode": EMBED})
@blueprint.route(f"{STANDALONE}{_PATH}", methods=["GET", "POST"], defaults={"mode": STANDALONE})
def vote(mode: str, comment_id: int) -> ResponseReturnValue:
    """Show buttons, for browsers without script; or store a vote."""
    if request.method == "POST":
        origin_check.require_own_page()
    comment = votes.find(database(), comment_id)
    address = own_edits.address_of(comment)
    thread_request = ThreadRequest.of_comment(mode, address, request.values)
    thread_request.speak(address.site)
    if request.method != "POST":
        return _page(thread_request, comment, address)
    try:
        state = _store(mode, comment_id, address)
    except NotFoundError:
        raise
    except CommentsvcError as error:
        return _refusal(thread_request, comment_id, address, error)
    if error_pages.wants_json():
        return headers.no_store(jsonify(asdict(state)))
    return _page(
        thread_request, votes.find(database(), comment_id), address, message=gettext(_DONE[state.value])
    )


def _store(mode: str, comment_id: int, address: ThreadAddress) -> VoteState:
    shown = access.shown_form(request.form.get("token", ""), address)
    access.seconds_on_form(shown)
    holder = reader.in_thread(mode, address.site)
    reader.require_same_person(holder, shown.mark if shown else None, gettext("Press the button again."))
    if holder:
        reader.require_token()
    limiter("votes").hit(access.network())
    value = _VALUES.get(request.form.get("vote", ""))
    if value is None:
        raise InvalidFieldsError({"vote": gettext("There is no such vote.")})
    with writing() as session:
        return votes.cast(session, comment_id, _voter(holder, address), value, at=now())


def _voter(holder: LoginSession | None, address: ThreadAddress) -> Author:
    role = accounts.role_on(database(), holder.commenter_id, address.site.id) if holder else None
    voter = Author(
        commenter_id=holder.commenter_id if holder else None,
        role=role,
        author_key_hash=access.author_key_hash(request.form.get("author_key")),
    )
    return access.with_network(voter, at=now())


def _refusal(
    thread_request: ThreadRequest, comment_id: int, address: ThreadAddress, error: CommentsvcError
) -> Response:
    """Say why nothing was stored; a script gets new tokens if the form was too old or another person's."""
    if not error_pages.wants_json():
        return _page(thread_request, votes.find(database(), comment_id), address, error=error)
    if not isinstance(error, StaleFormError | OtherPersonError):
        raise error
    own = form_identity(address, reader.in_thread(thread_request.mode, address.site))
    return headers.no_store(make_response(jsonify(message=str(error), own=own), error_pages.status_of(error)))


def _page(
    thread_request: ThreadRequest,
    comment: Comment,
    address: ThreadAddress,
    *,
    message: str = "",
    error: CommentsvcError | None = None,
) -> Response:
    holder = reader.in_thread(thread_request.mode, address.site)
    html = render_template(
        "thread/vote.html",
        thread_request=thread_request,
        site=address.site,
        address=address,
        view=thread_pages.comment_view(database(), comment.id),
        message=message,
        error=str(error or ""),
        token=access.form_token(address, mark=reader.form_mark(holder)),
        csrf=reader.csrf_token() if holder and not reader.bearer() else "",
    )
    if thread_request.mode == EMBED:
        headers.allow_framing(origin.origin for origin in address.site.origins)
    response = make_response(html, error_pages.status_of(error) if error else 200)
    error_pages.set_retry_after(response, error)
    return headers.no_store(response)
