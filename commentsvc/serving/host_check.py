"""WSGI middleware: refuses a request that does not name exactly one host, as RFC 9112 (3.2) demands of a server.

A proxy and we could otherwise understand different hosts, or different ends of a request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

BAD_HOST = b"The request must have one Host header with a valid value."
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+;=\x80-\xff-]+)(?::[0-9]*)?")


class HostCheck:
    """WSGI middleware that lets pass only requests with one valid `Host`."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Pass a request on, or answer 400."""
        host = environ.get("HTTP_HOST", "")  # several lines come joined by commas
        if _HOST.fullmatch(host) or (not host and environ.get("SERVER_PROTOCOL") in _OPTIONAL):
            return self._app(environ, start)
        start("400 Bad Request", [("Content-Type", "text/plain"), ("Content-Length", str(len(BAD_HOST)))])
        return [BAD_HOST]


_OPTIONAL = frozenset({"HTTP/1.0", "HTTP/1"})
"""Versions that need no `Host`, as servers write them; health checks of load balancers still use them."""
