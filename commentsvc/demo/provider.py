"""Serves Demo ID, which lets anybody log in as anybody and so must be reachable only from this machine.

It listens only on loopback, accepts only one host name, and has one client for each stand-in, with a new secret in each
demonstration. Nothing else starts it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from commentsvc.demo import demo_id
from commentsvc.demo.demo_id import DemoId, RefusedError
from commentsvc.demo.stand_ins import STAND_INS, Client
from commentsvc.errors import CommentsvcError
from commentsvc.serving.server import Bind

HOST = "127.0.0.1"
_BODY_LARGEST = 16 * 1024
_STYLE = Path(__file__).parent / "pages" / "demo-id.css"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class DemoOnlyError(CommentsvcError):
    """Demo ID was to listen on an address that others can reach."""

    def __init__(self, bind: Bind) -> None:
        super().__init__(f"Demo ID lets anybody in as anybody. It listens only on {HOST}, not on {bind}.")


@contextmanager
def running(bind: Bind, clients: Mapping[str, Client]) -> Iterator[str]:
    """Serve a stand-in for each client, by the provider's key; yields their origin.

    Raises DemoOnlyError for another host.
    """
    if bind.host != HOST:
        raise DemoOnlyError(bind)
    origin, key = origin_at(bind), demo_id.new_key()
    stand_ins = {
        one.key: DemoId(one, f"{origin}/{one.key}", clients[one.key], key)
        for one in STAND_INS
        if one.key in clients
    }
    handler = type("Handler", (_Handler,), {"origin": origin, "stand_ins": stand_ins})
    server = ThreadingHTTPServer((HOST, bind.port), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield origin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def origin_at(bind: Bind) -> str:
    """Return the origin of all issuers; for browsers it is another site than the service, like a real provider."""
    return f"http://localhost:{bind.port}"


class _Handler(BaseHTTPRequestHandler):
    origin: str
    stand_ins: Mapping[str, DemoId]
    timeout = 10

    def do_GET(self) -> None:
        where, _, query = self.path.partition("?")
        if not self._is_known():
            return
        if where == "/demo-id.css":
            self._send(200, "text/css", _STYLE.read_bytes())
            return
        stand_in, path = self._stand_in(where)
        if stand_in is None:
            self._send_nothing()
        elif path == stand_in.stand_in.authorize:
            self._shown(lambda: self._page(stand_in.question(dict(parse_qsl(query)))))
        elif path == stand_in.stand_in.userinfo:
            bearer = self.headers.get("Authorization", "")
            self._told(lambda: stand_in.userinfo(dict(parse_qsl(query)), bearer), 401)
        elif path == "/.well-known/openid-configuration" and stand_in.stand_in.openid:
            self._json(200, stand_in.metadata())
        elif path == "/keys" and stand_in.stand_in.openid:
            self._json(200, stand_in.keys())
        else:
            self._send_nothing()

    def do_POST(self) -> None:
        if not self._is_known():
            return
        form = self._form()
        stand_in, path = self._stand_in(self.path)
        if stand_in is None:
            self._send_nothing()
        elif path == stand_in.stand_in.token:
            self._told(lambda: stand_in.token(form, self.headers.get("Authorization", "")), 400)
        elif path == stand_in.stand_in.authorize:
            self._shown(lambda: self._send(303, "text/plain", b"", Location=stand_in.agree(form)))
        else:
            self._send_nothing()

    def _stand_in(self, path: str) -> tuple[DemoId | None, str]:
        """Return the stand-in that a path begins with, and the rest of the path."""
        key, slash, rest = path.removeprefix("/").partition("/")
        return self.stand_ins.get(key), slash + rest

    def _send_nothing(self) -> None:
        self._send(404, "text/plain", b"There is no such page.\n")

    def _is_known(self) -> bool:
        """Refuse other host names, because any domain can be made to resolve to this machine."""
        known = self.headers.get("Host") == self.origin.partition("://")[2]
        if not known:
            self._send(421, "text/plain", b"Demo ID does not go by this name.\n")
        return known

    def _form(self) -> dict[str, str]:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal() or int(length) > _BODY_LARGEST:
            return {}
        return dict(parse_qsl(self.rfile.read(int(length)).decode("utf-8", "replace")))

    def _told(self, document: Any, status: int) -> None:
        try:
            self._json(200, document())
        except RefusedError as error:
            self._json(status, {"error": str(error)})

    def _shown(self, show: Any) -> None:
        try:
            show()
        except RefusedError as error:
            self._send(400, "text/plain", f"Demo ID does not know this request ({error}).\n".encode())

    def _page(self, html: str) -> None:
        self._send(200, "text/html", html.encode())

    def _json(self, status: int, document: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(document).encode())

    def _send(self, status: int, content_type: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing; only the service's log matters here."""
