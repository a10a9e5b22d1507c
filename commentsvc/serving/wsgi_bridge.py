"""Connects Granian to a WSGI application; slow requests run in a second thread pool.

The server has four threads and answers requests in the order of their arrival: four comments that wait for the
database, or four logins that wait for a slow provider, would block all readers. For such a request the application
returns a `DeferredResponse`; the second pool makes it, and the server's thread takes the next request.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NoReturn
from wsgiref.types import WSGIApplication

Headers = list[tuple[str, str]]

CAN_WAIT = "commentsvc.can_wait"
"""The environ key that is set where the application may return a `DeferredResponse`."""
STREAMS = "commentsvc.streams"
"""The environ key with which the application has its response sent in parts, as they are made."""
ABORT = "commentsvc.abort"
"""The environ key of a function that ends the request's connection, so that reading its body ends."""
LATE = b"The request did not arrive in time. Please try again."
SLOW_POOL_SIZE = 8
"""Threads of the second pool, per process. Further slow requests wait in a queue."""

log = logging.getLogger(__name__)


class DeferredResponse:
    """A WSGI response that is made, with its status and headers, when it is iterated over."""

    def __init__(self, make: Callable[[], Iterable[bytes]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[bytes]:
        yield whole(self._make())

    def then(self, after: Callable[[], object]) -> DeferredResponse:
        """Return the same response; `after` is called once it is made."""

        def make() -> Iterable[bytes]:
            body = whole(self._make())
            after()
            return [body]

        return DeferredResponse(make)


def whole(parts: Iterable[bytes]) -> bytes:
    """Return the whole body of a WSGI response, and close it."""
    try:
        return b"".join(parts)
    finally:
        if close := getattr(parts, "close", None):
            close()


class BegunResponse:
    """WSGI's `start_response`: records the status and headers."""

    __slots__ = ("headers", "status")

    def __init__(self) -> None:
        self.status, self.headers = "500 Internal Server Error", _NOTHING

    def __call__(
        self, status: str, headers: Headers, _fault: object = None, /
    ) -> Callable[[bytes], NoReturn]:
        self.status, self.headers = status, headers
        return _write


_NOTHING: Headers = []


def _write(_part: bytes) -> NoReturn:
    raise NotImplementedError("Only applications older than WSGI call this; Flask returns its body.")


class WsgiBridge:
    """The callable that Granian calls with each request: a protocol to respond through, and the WSGI environ."""

    def __init__(self, app: WSGIApplication) -> None:
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
        begun = BegunResponse()
        environ = self._always | request
        environ[ABORT] = partial(_abort, protocol)
        answer = self._app(environ, begun)
        if type(answer) is DeferredResponse:
            self._slow_pool.submit(self._finish, protocol, begun, answer)
        elif STREAMS in environ:
            protocol.response_iter(int(begun.status[:3]), begun.headers, _Parts(answer))
        else:
            self._send(protocol, begun, answer)

    def _finish(self, protocol: Any, begun: BegunResponse, answer: DeferredResponse) -> None:
        try:
            self._send(protocol, begun, answer)
        except Exception:
            log.exception("a deferred request failed")
            protocol.response_bytes(500, [], b"")

    def _send(self, protocol: Any, begun: BegunResponse, answer: Iterable[bytes]) -> None:
        body = whole(answer)  # the status is known only afterwards
        protocol.response_bytes(int(begun.status[:3]), begun.headers, body)


class _Parts:
    """A response body in Granian's form, which is sent as it is made."""

    def __init__(self, answer: Iterable[bytes]) -> None:
        self._answer, self._parts = answer, iter(answer)

    def __next__(self) -> bytes:
        try:
            return next(part for part in self._parts if part)
        except StopIteration:
            raise
        except Exception:
            log.exception("a response ended early")  # the server ends it as if it were whole
            raise

    def close(self) -> None:
        """End the work for the response, also if the client has gone."""
        if close := getattr(self._answer, "close", None):
            close()


class _UnfinishedBody:
    """A response body in Granian's form, which ends before its announced length."""

    def __init__(self) -> None:
        self._parts = iter([LATE])

    def __next__(self) -> bytes:
        for part in self._parts:
            return part
        time.sleep(0.1)  # so that what there is of the response is sent before the connection is closed
        raise StopIteration

    def close(self) -> None:
        """Do nothing: there is nothing to close."""


def _abort(protocol: Any) -> None:
    """Answer 408, and end the connection.

    Granian cannot interrupt a thread that waits for a body. After a complete response it would go on receiving the
    body; a response shorter than it announces makes it close the connection at once, which ends the wait.
    """
    headers = [
        ("Content-Type", "text/plain"),
        ("Connection", "close"),
        ("Content-Length", str(len(LATE) + 1)),
    ]
    protocol.response_iter(408, headers, _UnfinishedBody())
