"""WSGI middleware for errors that Flask raises at the end of a request."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from sqlalchemy import Engine

from commentsvc.db.outage import is_unavailability, outage_of
from commentsvc.serving.access_log import shown_path
from commentsvc.serving.request_bodies import READING, respond_busy
from commentsvc.serving.wsgi_bridge import BegunResponse

log = logging.getLogger(__name__)


class EndErrorResponder:
    """WSGI middleware that answers 503 if the application raises.

    Flask answers the errors of a view by itself. What is left are those of its own end of a request, as when a lost
    connection makes the database session fail to close.
    """

    def __init__(self, app: WSGIApplication, engine: Engine) -> None:
        self._app, self._engine = app, engine

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Pass a request on; the response begins only when Flask is done."""
        begun = BegunResponse()
        try:
            body = self._app(environ, begun)
        except Exception as error:
            what = f"{environ['REQUEST_METHOD']} {shown_path(environ['PATH_INFO'])}"
            if is_unavailability(error):
                writing = environ["REQUEST_METHOD"] not in READING
                outage_of(self._engine).failed(error, what, writing=writing)
            else:
                log.exception("%s: an error at the end of the request", what)
            return respond_busy(environ, start)
        start(begun.status, begun.headers)
        return body
