"""Shows all errors, with a sentence for people, as a page or as JSON."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from commentsvc import errors
from commentsvc.db import outage
from commentsvc.messages import gettext, gettext_noop
from commentsvc.serving.access_log import shown_path
from commentsvc.serving.request_bodies import READING
from commentsvc.serving.request_ids import REQUEST_ID
from commentsvc.web import headers, origin_check, problems
from commentsvc.web.context import close_database, database, has_used_database, outage_of_database
from commentsvc.web.problems import Fault, RefusedCallError

log = logging.getLogger(__name__)

STATUS: tuple[tuple[type[errors.CommentsvcError], int], ...] = (
    (errors.InvalidFieldsError, 422),
    (errors.StaleFormError, 422),
    (errors.BadAddressError, 400),
    (errors.NotFoundError, 404),
    (errors.OtherArticleError, 409),
    (errors.ThreadClosedError, 403),
    (errors.ForbiddenError, 403),
    (errors.DuplicateCommentError, 409),
    (errors.AlreadyPostedError, 409),
    (errors.NotEditableError, 403),
    (errors.StaleEditError, 409),
    (errors.LinkSpentError, 410),
    (errors.TooManyError, 429),
    (errors.LoggedOutError, 403),
    (errors.OtherPersonError, 409),
    (errors.LoginFailedError, 400),
    (errors.LoginRefusedError, 400),
    (errors.InvalidNoticeError, 400),
    (errors.ProviderError, 503),
    (errors.ImportConflictError, 409),
    (errors.KeyReusedError, 422),
    (errors.UploadError, 422),
    (errors.UploadTooLargeError, 413),
    (errors.ServiceMovingError, 503),
)
_JSON = "application/json"
NOT_STORED = gettext_noop(
    "Nothing can be saved at the moment, because the server's disk is full or faulty. Please try again later."
)
_WORDS = {
    400: gettext_noop("This request is not valid."),
    404: gettext_noop("There is no such page."),
    405: gettext_noop("This address does not accept this kind of request."),
    411: gettext_noop("Please send this with a Content-Length."),
    413: gettext_noop("This is too much text for one comment. Please shorten it."),
    415: gettext_noop("This type of content is not accepted here."),
    503: gettext_noop("The service is busy. Please try again in a moment."),
}


def status_of(error: errors.CommentsvcError) -> int:
    """Return the HTTP status of one of our errors."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 400)


def wants_json() -> bool:
    """Whether one of our scripts sent the request, rather than a browser that opens a page."""
    accepted = request.headers.get("Accept")  # needs no parsing if it is what our scripts send
    return accepted == _JSON or request.accept_mimetypes.best == _JSON


def init_app(app: Flask) -> None:
    app.register_error_handler(errors.CommentsvcError, _ours)
    app.register_error_handler(RefusedCallError, _refused_call)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SQLAlchemyError, _database)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_note_success)
    app.teardown_appcontext(close_database)


def answer(status: int, message: str, faults: Sequence[Fault] = ()) -> Response:
    """Return an error as JSON or as a small page; of the API as problem details, with its `faults`."""
    _end_transaction()
    if problems.is_asked_for():
        return headers.no_store(problems.answer(status, message, faults))
    if wants_json():
        response = jsonify(message=message)
    elif status >= 500 and _is_own_form():
        # Without a script nothing else keeps what was typed; where it came from, it may not be shown again.
        fields = list(request.form.items(multi=True))
        response = make_response(render_template("not_saved.html", message=message, fields=fields))
    else:
        response = make_response(render_template("fault.html", message=message, status=status))
    response.status_code = status
    return headers.no_store(response)


def set_retry_after(response: Response, error: Exception | None) -> None:
    """Say in how many seconds the request may be sent again, if the error is temporary."""
    if isinstance(error, errors.TooManyError):
        response.headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, errors.ServiceMovingError):
        response.headers["Retry-After"] = "120"


def unavailable(error: SQLAlchemyError) -> str:
    """Log that the database cannot be used, and return a sentence about it, in English."""
    writing = request.method not in READING
    outage_of_database().failed(error, f"{request.method} {shown_path(request.path)}", writing=writing)
    return NOT_STORED if outage.is_storage_fault(error) else _WORDS[503]


def _ours(error: errors.CommentsvcError) -> ResponseReturnValue:
    faults = problems.faults_of_fields(error.fields) if isinstance(error, errors.InvalidFieldsError) else []
    response = answer(status_of(error), str(error), faults)
    set_retry_after(response, error)
    return response


def _refused_call(error: RefusedCallError) -> ResponseReturnValue:
    response = answer(error.status, str(error), error.faults)
    response.headers.update(error.headers)
    return response


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is not None and error.code < 400:
        return error.get_response()
    status = error.code or 500
    known = gettext(_WORDS[status]) if status in _WORDS else ""
    words = _noted() if status == 500 else known or error.description or error.name
    response = answer(status, words)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}:
            response.headers[name] = value
    return response


def _database(error: SQLAlchemyError) -> ResponseReturnValue:
    if not outage.is_unavailability(error):
        return _unexpected(error)
    response = answer(503, gettext(unavailable(error)))
    response.headers["Retry-After"] = "5"
    return response


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("%s %s: unexpected error", request.method, shown_path(request.path), exc_info=error)
    return answer(500, _noted())


def _noted() -> str:
    """Return what to say of an error that is in the log, with the id of its lines there."""
    number = request.environ.get(REQUEST_ID, "unknown")
    return gettext(
        "Something went wrong on our side. It has been noted as %(number)s; please try again in a moment, "
        "and name this number if it happens again."
    ) % {"number": number}


def _note_success(response: Response) -> Response:
    if response.status_code < 400 and has_used_database():
        outage_of_database().worked(writing=request.method not in READING)
    return response


def _end_transaction() -> None:
    try:
        database().rollback()
    except SQLAlchemyError:  # the connection is lost, and the transaction with it
        database().invalidate()


def _is_own_form() -> bool:
    """Whether a page of ours sent a form; nobody else gets a page with a button that sends their fields."""
    if request.method in READING or not request.form:
        return False
    try:
        origin_check.require_own_page()
    except errors.ForbiddenError:
        return False
    return True
