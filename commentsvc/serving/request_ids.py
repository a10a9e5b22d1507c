"""WSGI middleware: gives each request an id, by which its log lines and the error page belong together."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from commentsvc import logs, peer_addresses
from commentsvc.setting_values import Network

REQUEST_ID = "commentsvc.request_id"
"""The environ key of the id."""
_HEADER = "HTTP_X_REQUEST_ID"
_SENT = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIds:
    """WSGI middleware that stores a request's id: the trusted proxy's `X-Request-ID`, or a random one."""

    def __init__(self, app: WSGIApplication, proxies: tuple[Network, ...]) -> None:
        self._app, self._proxies = app, proxies

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Pass a request on."""
        number = self._of_proxy(environ) if _HEADER in environ else ""
        # Not a secret: the system's random numbers take two microseconds more, for each answer from memory too.
        environ[REQUEST_ID] = number or f"{random.getrandbits(64):016x}"
        return self._app(environ, start)

    def _of_proxy(self, environ: WSGIEnvironment) -> str:
        """Return what the proxy sent; empty if it is none of ours, or if its id has other characters than ids have."""
        sent: str = environ[_HEADER]
        if not _SENT.fullmatch(sent):
            return ""
        peer: str = environ.get("REMOTE_ADDR") or peer_addresses.LOOPBACK
        return sent if peer_addresses.is_trusted(peer, self._proxies) else ""


class LoggedRequestId:
    """WSGI middleware that has the id in every line that is logged while the application works."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Pass a request on, in the thread that will answer it."""
        token = logs.request_id.set(environ.get(REQUEST_ID, ""))
        try:
            return self._app(environ, start)
        finally:
            logs.request_id.reset(token)
