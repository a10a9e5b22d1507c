"""Between the server and a WSGI application: what takes long is answered by threads of its own.

The server has four threads, and answers in the order in which requests come: four comments that wait for the database,
or four logins that wait for a slow provider, would stop all readers, so what can wait is answered by a second pool of
threads. An application returns a `DeferredResponse` for it, and the server's thread goes on with the next request.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Headers = list[tuple[str, str]]
WsgiApp = Callable[..., Iterable[bytes]]

CAN_WAIT = "commentsvc.can_wait"
"""The key under which the environ says that a `DeferredResponse` may be returned."""
SLOW_POOL_SIZE = 8
"""Threads of a process that answer later. More requests wait in a queue, without a thread."""

log = logging.getLogger(__name__)


class DeferredResponse:
    """A WSGI answer that is made when it is iterated over, its status and headers with it."""

    def __init__(self, make: Callable[[], Iterable[bytes]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[bytes]:
        yield whole(self._make())

    def then(self, after: Callable[[], object]) -> DeferredResponse:
        """Return the same answer, with something to do once it is made."""

        def make() -> Iterable[bytes]:
            body = whole(self._make())
            after()
            return [body]

        return DeferredResponse(make)


def whole(parts: Iterable[bytes]) -> bytes:
    """Return the body of a WSGI answer, and close it."""
    try:
        return b"".join(parts)
    finally:
        if close := getattr(parts, "close", None):
            close()


class _Begun:
    """What an application says before the body: WSGI's `start_response`."""

    __slots__ = ("headers", "status")

    def __init__(self) -> None:
        self.status, self.headers = "500 Internal Server Error", _NOTHING

    def __call__(self, status: str, headers: Headers, _fault: object = None) -> None:
        self.status, self.headers = status, headers


_NOTHING: Headers = []


class WsgiBridge:
    """What the server calls with each request: the protocol of its answer, and the request as WSGI has it."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app
        self._slow_pool = ThreadPoolExecutor(SLOW_POOL_SIZE, thread_name_prefix="slow")
        self._always: dict[str, Any] = {
            "SCRIPT_NAME": "",
            "wsgi.version": (1, 0),
            "wsgi.errors": sys.stderr,
            "wsgi.input_terminated": True,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            CAN_WAIT: True,
        }

    def __call__(self, protocol: Any, request: dict[str, Any]) -> None:
        """Answer, now or later."""
        begun = _Begun()
        answer = self._app(self._always | request, begun)
        if type(answer) is DeferredResponse:
            self._slow_pool.submit(self._finish, protocol, begun, answer)
        else:
            self._send(protocol, begun, answer)

    def _finish(self, protocol: Any, begun: _Begun, answer: DeferredResponse) -> None:
        try:
            self._send(protocol, begun, answer)
        except Exception:
            log.exception("an answer could not be made")
            protocol.response_bytes(500, [], b"")

    def _send(self, protocol: Any, begun: _Begun, answer: Iterable[bytes]) -> None:
        body = whole(answer)  # the status is there only then
        protocol.response_bytes(int(begun.status[:3]), begun.headers, body)
