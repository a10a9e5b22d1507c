"""The WSGI stack: the layers between the server and Flask, in one list.

    WsgiBridge          turns the server's requests into WSGI; slow requests run in a second thread pool
    AccessLog           writes one line per response, unless `serve` has it switched off
    HostCheck           refuses requests without exactly one Host
    BasePath            removes the path of the base URL, if it has one
    RequestIds          gives the request an id
    PageCache           answers from memory where the response is the same for everybody
    RequestBodyReader   reads request bodies, so that slow senders cannot occupy all threads
    LoggedRequestId     has the id in each line that is logged
    EndErrorResponder   answers 503 if Flask fails at the end of a request
    Flask

Another WSGI server takes the place of the first three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from wsgiref.types import WSGIApplication

from sqlalchemy import Engine

from commentsvc import logs
from commentsvc.config import Settings
from commentsvc.serving.access_log import AccessLog
from commentsvc.serving.base_path import BasePath
from commentsvc.serving.end_errors import EndErrorResponder
from commentsvc.serving.host_check import HostCheck
from commentsvc.serving.page_cache.cache import PageCache
from commentsvc.serving.page_cache.change_broadcast import ChangeBroadcast
from commentsvc.serving.page_cache.change_signal import ChangeSignal
from commentsvc.serving.request_bodies import RequestBodyReader
from commentsvc.serving.request_ids import LoggedRequestId, RequestIds
from commentsvc.serving.wsgi_bridge import WsgiBridge

Layer = Callable[[WSGIApplication], Any]


def at_the_server(*, access_log: bool, log_format: str) -> Sequence[Layer]:
    """Return the layers of our own server, outermost first."""
    log = [partial(AccessLog, as_json=log_format == logs.JSON)] if access_log else []
    return [WsgiBridge, *log, HostCheck]


def around_flask(
    settings: Settings, engine: Engine, signal: ChangeSignal, broadcast: ChangeBroadcast
) -> Sequence[Layer]:
    """Return the layers that run under every server, outermost first."""

    def page_cache(app: WSGIApplication) -> PageCache:
        room = settings.cache_mb * 1024 * 1024
        return PageCache(app, room=room, signal=signal, engine=engine, listen=broadcast.listen)

    return [
        *([partial(BasePath, path=settings.base_path)] if settings.base_path else []),
        partial(RequestIds, proxies=settings.trusted_proxies),
        *([page_cache] if settings.cache_mb else []),
        RequestBodyReader,
        LoggedRequestId,
        partial(EndErrorResponder, engine=engine),
    ]


def wrap(app: WSGIApplication, layers: Sequence[Layer]) -> WSGIApplication:
    """Put layers around an application."""
    for layer in reversed(layers):
        app = layer(app)
    return app
