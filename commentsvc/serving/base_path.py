"""WSGI middleware: serves the application below a path of its host, such as `/comments`."""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class BasePath:
    """WSGI middleware that moves the path of the base URL from `PATH_INFO` to `SCRIPT_NAME`.

    A proxy may have removed it from the request already; the layers below see the same in both cases.
    """

    def __init__(self, app: WSGIApplication, path: str) -> None:
        """`path` begins with a slash and does not end with one."""
        self._app = app
        self._path, self._below = path, f"{path}/"

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Pass a request on with the path that the views know."""
        requested = environ["PATH_INFO"]
        if requested == self._path or requested.startswith(self._below):
            environ["PATH_INFO"] = requested.removeprefix(self._path) or "/"
        environ["SCRIPT_NAME"] = self._path
        return self._app(environ, start)
