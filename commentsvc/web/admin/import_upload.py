"""The upload of a file to import: the only request with a large body.

Who sends it is checked by cookie and `Origin` before its body is read; the tokens of the form are in the body, which is
written to a private file meanwhile.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.formparser import FormDataParser

from commentsvc.domain.admin import import_jobs
from commentsvc.errors import CommentsvcError, ForbiddenError, TooManyError, UploadError, UploadTooLargeError
from commentsvc.messages import gettext
from commentsvc.serving.request_bodies import BODY_LARGEST, UPLOAD_LARGEST
from commentsvc.web.admin.context import AdminContext
from commentsvc.web.auth import cookies, person_marks, reader
from commentsvc.web.context import database, now, services, settings, writing

blueprint = Blueprint("import_upload", __name__, url_prefix=cookies.ADMIN)

FORM_LARGEST = 16 * 1024
"""Bytes of the form around the file."""
DISCARDED_LARGEST = 4 * UPLOAD_LARGEST
"""Bytes of a refused body that are read: a browser shows an answer only after it has sent everything."""
_PIECE = 1 << 16
_MEGABYTES = UPLOAD_LARGEST >> 20


@blueprint.post("/sites/<site:site_id>/import")
def upload(site_id: int) -> ResponseReturnValue:
    """Store the file for the background work."""
    admin = AdminContext.for_site(site_id, owner=True)
    person = admin.person
    with _one_at_a_time(), _body_read():
        if (request.content_length or 0) > UPLOAD_LARGEST + FORM_LARGEST:
            _discard()
            raise _too_large()
        import_jobs.require_no_other(database(), site_id)
        database().rollback()  # no transaction is open while the body arrives
        with import_jobs.new_file(settings().data_dir) as (file, stream):
            form, file_name = _receive(stream)
            _require_csrf(form.get("csrf_token"))
            person_marks.require(form.get(person_marks.FIELD, ""), person)
            _require_file(file_name, stream.seek(0, io.SEEK_END))
            stream.flush()
            with writing() as session:
                import_jobs.add(
                    session, site_id, commenter_id=person.id, file=file, file_name=file_name, at=now()
                )
    return redirect(url_for("imports.page", site_id=site_id), 303)


def _require_csrf(sent: str | None) -> None:
    """Refuse a form without its token with 400, as the admin view's other forms do."""
    try:
        reader.require_csrf(sent)
    except ForbiddenError as error:
        raise CommentsvcError(str(error)) from None


def _receive(stream: BinaryIO) -> tuple[MultiDict[str, str], str]:
    """Write the uploaded file to `stream`; return the form's fields, and the file's name, empty if there is none."""
    streams: list[IO[bytes]] = [stream]

    def next_stream(*_: object, **__: object) -> IO[bytes]:
        if not streams:
            raise UploadError(gettext("Choose one file."))
        return streams.pop()

    parser = FormDataParser(
        stream_factory=next_stream,
        max_form_memory_size=BODY_LARGEST,
        max_content_length=UPLOAD_LARGEST + FORM_LARGEST,
        max_form_parts=10,
    )
    _, form, files = parser.parse_from_environ(request.environ)
    file = files.get("file")
    return form, (file.filename or "") if file else ""


def _require_file(name: str, size: int) -> None:
    if not name:
        raise UploadError(gettext("Choose a file to import."))
    if not size:
        raise UploadError(gettext("This file is empty. Choose the file that the other system exported."))
    if size > UPLOAD_LARGEST:
        raise _too_large()


def _too_large() -> UploadTooLargeError:
    return UploadTooLargeError(
        gettext(
            "This file is larger than %(size)s MB. Compress it as .zip or .gz, or import it with `commentsvc import`, "
            "which has no limit."
        )
        % {"size": _MEGABYTES}
    )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let one upload at a time have one of the process's few threads; raises TooManyError."""
    slot = services().upload_slot
    if not slot.acquire(blocking=False):
        raise TooManyError(retry_after=60)
    try:
        yield
    finally:
        slot.release()


@contextmanager
def _body_read() -> Iterator[None]:
    """Leave an empty body behind, so that no error page reads the rest of this one as a form."""
    try:
        yield
    finally:
        request.environ["wsgi.input"], request.environ["CONTENT_LENGTH"] = io.BytesIO(), "0"


def _discard() -> None:
    left = min(request.content_length or 0, DISCARDED_LARGEST)
    stream = request.environ["wsgi.input"]
    while left > 0 and (piece := stream.read(min(left, _PIECE))):
        left -= len(piece)
