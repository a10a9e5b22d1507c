"""WSGI middleware: reads bodies on at most two threads and in time, and sends slow requests to the second pool."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from io import BytesIO
from threading import Semaphore
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from commentsvc.serving.body_deadlines import BodyDeadlines
from commentsvc.serving.wsgi_bridge import ABORT, CAN_WAIT, DeferredResponse, whole

LONG = ("/admin", "/login", "/account", "/invite", "/api/v1/sites/")
"""Prefixes of paths where even a GET may wait for another server or search a million comments."""
READING = ("GET", "HEAD")
BODY_LARGEST = 512 * 1024
"""Bytes; the longest comment allowed fits, percent-encoded. Flask refuses a larger body without reading it."""
UPLOAD_PATH = re.compile(r"/admin/sites/[0-9]+/import")
"""The one path that takes a large body: its view checks who sends it, then reads it in pieces."""
UPLOAD_LARGEST = 50 << 20
"""Bytes of an uploaded file."""
UPLOAD_BYTES_PER_SECOND = 64 * 1024
"""The slowest upload that is accepted: 14 minutes for the largest file."""
WAITING = 2
"""Threads that may wait for bodies at the same time. A process has at least three threads, normally four."""
PATIENCE = 0.1
"""Seconds to wait for a free slot; a request whose body has already arrived frees one at once."""
BODY_WITHIN = 5.0
"""Seconds for a body to arrive, as for the headers, and one more for each `BYTES_PER_SECOND` of it."""
BYTES_PER_SECOND = 16 * 1024
API = "/api/"
"""The prefix of paths whose errors are problem details, RFC 9457."""
BUSY = "The service is busy. Please try again in a moment."
INCOMPLETE = "The request did not arrive completely, or not in time. Please try again."
_DIGITS = len(str(BODY_LARGEST))
"""A longer number is not parsed: Python raises ValueError for thousands of digits."""
_UPLOAD_DIGITS = 12


class RequestBodyReader:
    """WSGI middleware that reads a request's body before it calls the application."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._waiting = Semaphore(WAITING)
        self._all_stuck = False
        self._deadlines = BodyDeadlines()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Pass a request on once its body has arrived."""
        length = _length(environ)
        if length is None:
            return self._upload(environ, start) if _is_upload(environ) else self._app(environ, start)
        if length:
            body = self._read(environ, length)
            if body is None:
                return respond_busy(environ, start)
            if len(body) < length:  # the connection has ended, or the server has ended it at the deadline
                return _refuse(environ, start, "408 Request Timeout", INCOMPLETE)
            environ["wsgi.input"] = BytesIO(body)
        if CAN_WAIT in environ and not _is_reading(environ):
            return DeferredResponse(lambda: self._app(environ, start))
        return self._app(environ, start)

    def _upload(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Pass an upload on, unread; it has one of the threads that may wait for bodies until it is answered.

        The server ends a body with the call of the application, so that it cannot be read on the second pool.
        """
        if not self._waiting.acquire(timeout=PATIENCE):
            return respond_busy(environ, start)
        length = min(int(environ["CONTENT_LENGTH"]), UPLOAD_LARGEST)
        abort = environ.get(ABORT, lambda: None)
        try:
            with self._deadlines.ends_after(BODY_WITHIN + length / UPLOAD_BYTES_PER_SECOND, abort):
                return [whole(self._app(environ, start))]
        finally:
            self._waiting.release()

    def _read(self, environ: WSGIEnvironment, length: int) -> bytes | None:
        """Return what arrives of the body until its deadline; None if slow senders occupy all slots."""
        if not self._waiting.acquire(timeout=0 if self._all_stuck else PATIENCE):
            self._all_stuck = True
            return None
        abort = environ.get(ABORT, lambda: None)  # another server has its own deadline, or none
        try:
            with self._deadlines.ends_after(BODY_WITHIN + length / BYTES_PER_SECOND, abort):
                return bytes(environ["wsgi.input"].read(length))  # shorter if the connection ended
        finally:
            self._all_stuck = False
            self._waiting.release()


def _is_reading(environ: WSGIEnvironment) -> bool:
    return environ["REQUEST_METHOD"] in READING and not environ["PATH_INFO"].startswith(LONG)


def _is_upload(environ: WSGIEnvironment) -> bool:
    """Whether a large body, whose length is known, goes where one is accepted."""
    length = environ.get("CONTENT_LENGTH") or ""
    return (
        environ["REQUEST_METHOD"] == "POST"
        and "HTTP_TRANSFER_ENCODING" not in environ
        and length.isdecimal()
        and len(length) <= _UPLOAD_DIGITS
        and UPLOAD_PATH.fullmatch(environ["PATH_INFO"]) is not None
    )


def _length(environ: WSGIEnvironment) -> int | None:
    """Return the number of bytes to wait for; None leaves the body to Flask."""
    if environ["REQUEST_METHOD"] in READING:
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(), "0"  # no view reads the body of a GET
        return 0
    text = environ.get("CONTENT_LENGTH") or "0"
    if "HTTP_TRANSFER_ENCODING" in environ or not text.isdecimal() or len(text) > _DIGITS:
        return None
    return int(text) if int(text) <= BODY_LARGEST else None


def respond_busy(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    """Answer 503 with a sentence, without Flask."""
    return _refuse(environ, start, "503 Service Unavailable", BUSY)


def _refuse(environ: WSGIEnvironment, start: StartResponse, status: str, words: str) -> Iterable[bytes]:
    kind, body = "text/plain", words
    if environ["PATH_INFO"].startswith(API):
        about = {"type": "about:blank", "title": status[4:], "status": int(status[:3]), "detail": words}
        kind, body = "application/problem+json", json.dumps(about)
    elif environ.get("HTTP_ACCEPT") == "application/json":
        kind, body = "application/json", json.dumps({"message": words})
    start(
        status,
        [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Retry-After", "1"),
            ("Cache-Control", "no-store"),
        ],
    )
    return [body.encode()]
