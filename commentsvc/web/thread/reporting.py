"""Reports by readers to the moderators."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from commentsvc.domain.moderation import reports
from commentsvc.domain.moderation.reports import Reporter
from commentsvc.domain.reading import thread_pages
from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.errors import CommentsvcError, InvalidFieldsError, OtherPersonError, StaleFormError
from commentsvc.integrations import signing
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Comment, LoginSession
from commentsvc.web import access, error_pages, headers, origin_check
from commentsvc.web.auth import reader
from commentsvc.web.context import database, hash_key, limiter, now, writing
from commentsvc.web.thread.rendering import form_identity
from commentsvc.web.thread_request import EMBED, STANDALONE, ThreadRequest

blueprint = Blueprint("reporting", __name__)

LIMIT = "10/minute;40/hour"
"""Reports per network."""
THANKS = gettext_noop("Thank you. The moderators will look at this comment.")
_PATH = "/comments/<int:comment_id>/report"


@blueprint.route(f"{EMBED}{_PATH}", methods=["GET", "POST"], defaults={"mode": EMBED})
@blueprint.route(f"{STANDALONE}{_PATH}", methods=["GET", "POST"], defaults={"mode": STANDALONE})
def report(mode: str, comment_id: int) -> ResponseReturnValue:
    """Show the form, as a page or as a fragment below the comment; or store a report."""
    if request.method == "POST":
        origin_check.require_own_page()
    comment = reports.find(database(), comment_id)
    address = ThreadAddress(comment.thread.site, comment.thread.key, comment.thread.url)
    thread_request = ThreadRequest.of_comment(mode, address, request.values)
    thread_request.speak(address.site)
    if request.method != "POST":
        return _form(thread_request, comment, address)
    try:
        _store(mode, comment_id, address)
    except CommentsvcError as error:
        if not isinstance(error, InvalidFieldsError | StaleFormError | OtherPersonError):
            raise
        if error_pages.wants_json():
            identity = form_identity(address, reader.in_thread(mode, address.site))
            tokens = {"token": identity["token"], "csrf_token": identity["csrf"]}
            return headers.no_store(
                make_response(jsonify(message=str(error), own=tokens), error_pages.status_of(error))
            )
        return _form(thread_request, reports.find(database(), comment_id), address, error=error)
    if error_pages.wants_json():
        return headers.no_store(jsonify(message=gettext(THANKS)))
    return _page(thread_request, address, thanks=gettext(THANKS))


def _store(mode: str, comment_id: int, address: ThreadAddress) -> None:
    shown = access.shown_form(request.form.get("token", ""), address)
    access.seconds_on_form(shown)
    session, at = database(), now()
    month = reports.month_of(session, comment_id, at=at)
    by = _reporter(reader.in_thread(mode, address.site), shown, month)
    limiter("reports").hit(access.network())
    with writing() as session:
        reason, note = request.form.get("reason", ""), request.form.get("note", "")
        reports.report(session, comment_id, by, reason=reason, note=note, at=at)


def _reporter(holder: LoginSession | None, shown: access.ShownForm | None, month: str) -> Reporter:
    """Return the reporter; raises OtherPersonError if the form was opened by another person."""
    what_now = gettext("Press the button again to report this comment.")
    reader.require_same_person(holder, shown.mark if shown else None, what_now)
    network = access.network_hash(month)
    if holder:
        reader.require_token()
        return Reporter(_hash(f"account {holder.commenter_id}"), network, member=True)
    key = access.author_key_hash(request.form.get("author_key"))
    return Reporter(_hash(f"key {key}" if key else f"network {network}"), network)


def _hash(value: str) -> str:
    return signing.keyed_hash(hash_key(), "reporter", value)


def _form(
    thread_request: ThreadRequest,
    comment: Comment,
    address: ThreadAddress,
    *,
    error: CommentsvcError | None = None,
) -> Response:
    chosen, holder = request.form.get("reason", ""), reader.in_thread(thread_request.mode, address.site)
    return _page(
        thread_request,
        address,
        status=error_pages.status_of(error) if error else 200,
        view=thread_pages.comment_view(database(), comment.id),
        reasons=reports.WORDS_ELSEWHERE if comment.origin else reports.WORDS,
        chosen=chosen,
        note=request.form.get("note", ""),
        error=str(error or ""),
        token=access.form_token(address, mark=reader.form_mark(holder)),
        csrf=reader.csrf_token() if holder and not reader.bearer() else "",
    )


def _page(
    thread_request: ThreadRequest, address: ThreadAddress, *, status: int = 200, **context: object
) -> Response:
    template = "thread/report_form.html" if "fragment" in request.args else "thread/report.html"
    html = render_template(
        template, thread_request=thread_request, site=address.site, address=address, **context
    )
    if error_pages.wants_json():
        return headers.no_store(jsonify(html=html))
    if thread_request.mode == EMBED:
        headers.allow_framing(origin.origin for origin in address.site.origins)
    return headers.no_store(make_response(html, status))
