"""A real HTTP server that receives webhooks and chat messages, and answers as it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names are in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer to one request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"


class Receiver:
    """What came, in order; `replies` are given one after the other, and 200 after them."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.requests: list[Received] = []
        self.replies: list[Reply] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def types(self) -> list[str]:
        """The types of the webhooks that came."""
        return [request.json["type"] for request in self.requests]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run a receiver on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            came.requests.append(Received(self.command, self.path, headers, body))
            came.may_answer.wait(30)
            reply = came.replies.pop(0) if came.replies else Reply()
            try:
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)
            except OSError:  # the sender was killed
                self.close_connection = True

        do_POST = do_PUT = do_GET = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    came = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield came
    finally:
        came.may_answer.set()
        server.shutdown()
        thread.join()
        server.server_close()
