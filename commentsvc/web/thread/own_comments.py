"""Readers edit and delete their own comments: members by their session, guests by the key of their browser."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc.domain.comments import own_comments
from commentsvc.domain.comments.own_changes import EditResult
from commentsvc.domain.reading import thread_pages
from commentsvc.errors import (
    CommentsvcError,
    InvalidFieldsError,
    NotFoundError,
    StaleEditError,
)
from commentsvc.messages import gettext
from commentsvc.models import Comment, LoginSession
from commentsvc.web import access, error_pages, headers, origin_check, own_edits
from commentsvc.web.auth import reader
from commentsvc.web.context import database, now
from commentsvc.web.own_edits import OwnEditForm
from commentsvc.web.thread.rendering import render_comment
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest

blueprint = Blueprint("own_comments", __name__)

_EDIT = "/comments/<int:comment_id>/edit"
_DELETE = "/comments/<int:comment_id>/delete"
_METHODS = ["GET", "POST"]


@blueprint.route(f"{EMBED}{_EDIT}", methods=_METHODS, defaults={"mode": EMBED})
@blueprint.route(f"{STANDALONE}{_EDIT}", methods=_METHODS, defaults={"mode": STANDALONE})
def edit(mode: str, comment_id: int) -> ResponseReturnValue:
    """Show the form with the comment's text, or save it."""
    if request.method != "POST":
        comment, holder = _own(mode, comment_id)
        return _form("edit", mode, comment, holder, **_editable(comment))
    origin_check.require_own_page()
    form = OwnEditForm(request.form.to_dict())
    try:
        seconds = _require_same_person(mode, comment_id)
        if form.value("do") == "preview":  # of a browser without script
            shown = own_edits.preview(form)
            comment, holder = _own(mode, comment_id)
            return _form("edit", mode, comment, holder, preview=shown, **own_edits.facts(comment, form))
        result = own_edits.save(comment_id, form, seconds=seconds)
    except CommentsvcError as error:
        comment, holder = _own(mode, comment_id)
        return _form("edit", mode, comment, holder, error=error, **own_edits.facts(comment, form))
    return _done(mode, comment_id, gettext(own_edits.MESSAGES[result]), waits=result is EditResult.WAITS)


@blueprint.route(f"{EMBED}{_DELETE}", methods=_METHODS, defaults={"mode": EMBED})
@blueprint.route(f"{STANDALONE}{_DELETE}", methods=_METHODS, defaults={"mode": STANDALONE})
def delete(mode: str, comment_id: int) -> ResponseReturnValue:
    """Ask whether to delete the comment, or delete it for good."""
    if request.method != "POST":
        return _form("delete", mode, *_own(mode, comment_id))
    origin_check.require_own_page()
    try:
        _require_same_person(mode, comment_id)
        own_edits.remove(comment_id)
    except CommentsvcError as error:
        return _form("delete", mode, *_own(mode, comment_id), error=error)
    return _done(mode, comment_id, gettext(own_edits.REMOVED))


def _own(mode: str, comment_id: int) -> tuple[Comment, LoginSession | None]:
    """Return a comment with the session that proves whose it is, None for a guest's.

    Raises NotFoundError if it is not theirs.
    """
    database().rollback()
    comment = database().get(Comment, comment_id, populate_existing=True)
    if comment is None:
        raise NotFoundError
    _request_of(mode, comment).speak(comment.thread.site)
    holder = reader.current(comment.site_id) if mode == EMBED else reader.of_own_pages()
    key = request.headers.get("X-Author-Key") or request.form.get("author_key")
    if not own_comments.is_of(
        comment,
        commenter_id=holder.commenter_id if holder else None,
        author_key_hash=access.author_key_hash(key),
    ):
        raise NotFoundError
    return comment, holder if comment.commenter_id is not None else None


def _require_same_person(mode: str, comment_id: int) -> float:
    """Return the seconds since the form was opened; refuse it from anybody but the author, who opened it."""
    comment, holder = _own(mode, comment_id)
    shown = access.shown_form(request.form.get("token", ""), own_edits.address_of(comment))
    seconds = access.seconds_on_form(shown)
    reader.require_same_person(holder, shown.mark if shown else None, gettext("Press the button again."))
    if holder:
        reader.require_token()
    return seconds


def _editable(comment: Comment) -> dict[str, Any]:
    """Return what the form shows; raises NotEditableError, ThreadClosedError if nothing could be saved now."""
    own_edits.require_editable(comment)
    return own_edits.facts(comment)


def _form(
    kind: str,
    mode: str,
    comment: Comment,
    holder: LoginSession | None,
    *,
    error: CommentsvcError | None = None,
    **shown: Any,
) -> Response:
    """Show a form, as a page or, for scripts, as a fragment in JSON."""
    address, thread_request = own_edits.address_of(comment), _request_of(mode, comment)
    messages = error.fields if isinstance(error, InvalidFieldsError) else {"form": str(error or "")}
    context = {
        "kind": kind,
        "thread_request": thread_request,
        "view": thread_pages.comment_view(database(), comment.id, own=True),
        "action": f"{thread_request.path}/comments/{comment.id}/{kind}",
        "back": f"{thread_request.link(comment=comment.id)}#comment-{comment.id}",
        "token": access.form_token(address, mark=reader.form_mark(holder)),
        "csrf": reader.csrf_token() if holder and not reader.bearer() else "",
        "error": " ".join(messages.values()),
        **shown,
    }
    if error is not None and error_pages.wants_json():  # the form stays as it is, with what is new in it
        again = {"token": context["token"], "csrf_token": context["csrf"]}
        if isinstance(error, StaleEditError):
            now_reads = gettext("It reads now: “%(text)s”") % {"text": shown["now_reads"]}
            context["error"] += f" {now_reads}"
            again["seen"] = shown["seen"]
        response = jsonify(message=context["error"], own=again)
    elif error_pages.wants_json():
        context["in_place"] = kind == "edit"
        response = jsonify(html=render_template("thread/own_comment_form.html", **context))
    else:
        response = _page(comment, mode, can_preview=kind == "edit", **context)
    response.status_code = error_pages.status_of(error) if error else 200
    error_pages.set_retry_after(response, error)
    return headers.no_store(response)


def _done(mode: str, comment_id: int, message: str, *, waits: bool = False) -> Response:
    """Show what became of the comment."""
    session = database()
    session.rollback()
    comment = session.get_one(Comment, comment_id, populate_existing=True)
    thread_request = _request_of(mode, comment)
    if not error_pages.wants_json():
        return headers.no_store(_page(comment, mode, thread_request=thread_request, message=message))
    view = thread_pages.comment_view(session, comment_id, own=True)
    is_shown = comment.shown or view.held
    return headers.no_store(
        jsonify(
            message=message,
            html=render_comment(thread_request, view, comment.thread.site) if is_shown else "",
            count=comment.thread.approved_count,
            mine=[
                own_comments.OwnCommentState(
                    comment_id, own_comments.edit_seconds(comment.thread.site, comment, at=now()), waits
                )
            ],
        )
    )


def _page(comment: Comment, mode: str, **context: Any) -> Response:
    site = comment.thread.site
    html = render_template(
        "thread/own_comment.html", site=site, address=own_edits.address_of(comment), **context
    )
    if mode == EMBED:
        headers.allow_framing(origin.origin for origin in site.origins)
    return make_response(html)


def _request_of(mode: str, comment: Comment) -> ThreadRequest:
    return ThreadRequest.of_comment(mode, own_edits.address_of(comment), request.values)
