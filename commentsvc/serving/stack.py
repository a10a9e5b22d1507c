"""What a request passes on its way from the server to Flask, in one list.

    WsgiBridge          the server's requests as WSGI has them; what takes long goes to threads of its own
    AccessLog           a line for each answer, where `serve` is to write one
    PageCache           answers that are the same for everybody, as bytes; the rest passes
    RequestBodyReader   waits for a request's body, so that a slow sender holds no thread of Flask's
    Flask

Another WSGI server than ours takes the place of the first two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Engine

from commentsvc.config import Settings
from commentsvc.serving.access_log import AccessLog
from commentsvc.serving.page_cache.cache import PageCache
from commentsvc.serving.page_cache.change_broadcast import ChangeBroadcast
from commentsvc.serving.page_cache.change_signal import ChangeSignal
from commentsvc.serving.request_bodies import RequestBodyReader
from commentsvc.serving.wsgi_bridge import WsgiBridge

WsgiApp = Callable[..., Iterable[bytes]]
Layer = Callable[[WsgiApp], Any]


def at_the_server(*, access_log: bool) -> Sequence[Layer]:
    """Return the layers that belong to our own server, the outermost first."""
    return [WsgiBridge, *([AccessLog] if access_log else [])]


def around_flask(
    settings: Settings, engine: Engine, signal: ChangeSignal, broadcast: ChangeBroadcast
) -> Sequence[Layer]:
    """Return the layers that every server has, the outermost first."""

    def page_cache(app: WsgiApp) -> PageCache:
        room = settings.cache_mb * 1024 * 1024
        return PageCache(app, room=room, signal=signal, engine=engine, listen=broadcast.listen)

    return [*([page_cache] if settings.cache_mb else []), RequestBodyReader]


def wrap(app: WsgiApp, layers: Sequence[Layer]) -> WsgiApp:
    """Put layers around an application."""
    for layer in reversed(layers):
        app = layer(app)
    return app
