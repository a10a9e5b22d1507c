"""WSGI middleware for errors that Flask raises at the end of a request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Engine

from commentsvc.db.outage import is_unavailability, outage_of
from commentsvc.serving.access_log import shown_path
from commentsvc.serving.request_bodies import READING, respond_busy

WsgiApp = Callable[..., Iterable[bytes]]

log = logging.getLogger(__name__)


class EndErrorResponder:
    """WSGI middleware that answers 503 if the application raises.

    Flask answers the errors of a view by itself. What is left are those of its own end of a request, as when a lost
    connection makes the database session fail to close.
    """

    def __init__(self, app: WsgiApp, engine: Engine) -> None:
        self._app, self._engine = app, engine

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Pass a request on; the response begins only when Flask is done."""
        begun: list[Any] = []
        try:
            body = self._app(environ, lambda *response: begun.extend(response))
        except Exception as error:
            what = f"{environ['REQUEST_METHOD']} {shown_path(environ['PATH_INFO'])}"
            if is_unavailability(error):
                writing = environ["REQUEST_METHOD"] not in READING
                outage_of(self._engine).failed(error, what, writing=writing)
            else:
                log.exception("%s: an error at the end of the request", what)
            return respond_busy(environ, start)
        start(*begun)
        return body
