"""The way in to Flask: what readers and writers of threads ask for goes in one by one (`floor.py` says why)."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from commentsvc import floor

QUICK = ("/embed", "/thread", "/counts")
"""How paths begin behind which nothing takes long. The admin view may look through a million comments."""
BODY_LARGEST = 64 * 1024
"""Bytes; a larger one is read by Flask, and keeps nobody waiting who comes slowly."""
_DIGITS = len(str(BODY_LARGEST))
"""Python reads no number of very many."""


class Entrance:
    """A WSGI application in front of another."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Pass a request on, when it is its turn."""
        if not environ["PATH_INFO"].startswith(QUICK) or not _has_come(environ):
            return self._app(environ, start)
        with floor.taken():
            return self._app(environ, start)


def _has_come(environ: WSGIEnvironment) -> bool:
    """Wait for the body, as a slow sender must not have the floor; whether all of it is here."""
    said = environ.get("CONTENT_LENGTH") or "0"
    if "HTTP_TRANSFER_ENCODING" in environ or not said.isdecimal() or len(said) > _DIGITS:
        return False
    length = int(said)
    if 0 < length <= BODY_LARGEST:
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(length))
    return length <= BODY_LARGEST
