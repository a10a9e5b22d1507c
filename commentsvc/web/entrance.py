"""The way in to Flask: what readers and writers of threads ask for goes in one by one (`floor.py` says why)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from commentsvc import floor

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

QUICK = ("/embed", "/thread", "/counts")
"""How paths begin behind which nothing takes long. The admin view may look through a million comments."""
BODY_LARGEST = 64 * 1024
"""Bytes; a larger one is read by Flask, and keeps nobody waiting who comes slowly."""


class Entrance:
    """A WSGI application in front of another."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        """Pass a request on, when it is its turn."""
        if not environ["PATH_INFO"].startswith(QUICK) or not _has_come(environ):
            return self._app(environ, start)
        with floor.taken():
            return self._app(environ, start)


def _has_come(environ: Environ) -> bool:
    """Wait for the body, as a slow sender must not have the floor; whether all of it is here."""
    said = environ.get("CONTENT_LENGTH") or "0"
    if "HTTP_TRANSFER_ENCODING" in environ or not said.isdecimal() or int(said) > BODY_LARGEST:
        return False
    if said != "0":
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(said)))
    return True
