"""Serves Demo ID, which lets anybody log in as anybody and so must be reachable only from this machine.

It listens only on loopback, accepts only one host name, and has only one client, with a new secret in each
demonstration. Nothing else starts it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from commentsvc.demo.demo_id import Client, DemoId, RefusedError
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
def running(bind: Bind, client: Client) -> Iterator[str]:
    """Serve Demo ID for the demonstration's service; yields its issuer. Raises DemoOnlyError for another host."""
    if bind.host != HOST:
        raise DemoOnlyError(bind)
    issuer = issuer_at(bind)
    handler = type("Handler", (_Handler,), {"demo_id": DemoId(issuer, client)})
    server = ThreadingHTTPServer((HOST, bind.port), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def issuer_at(bind: Bind) -> str:
    """Return the issuer; for browsers it is another site than the service, like a real provider."""
    return f"http://localhost:{bind.port}"


class _Handler(BaseHTTPRequestHandler):
    demo_id: DemoId
    timeout = 10

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if not self._is_known():
            return
        if path == "/.well-known/openid-configuration":
            self._json(200, self.demo_id.metadata())
        elif path == "/keys":
            self._json(200, self.demo_id.keys())
        elif path == "/demo-id.css":
            self._send(200, "text/css", _STYLE.read_bytes())
        elif path == "/userinfo":
            self._told(lambda: self.demo_id.userinfo(self.headers.get("Authorization", "")), 401)
        elif path == "/authorize":
            self._shown(lambda: self._page(self.demo_id.question(dict(parse_qsl(query)))))
        else:
            self._send(404, "text/plain", b"There is no such page.\n")

    def do_POST(self) -> None:
        if not self._is_known():
            return
        form = self._form()
        if self.path == "/token":
            self._told(lambda: self.demo_id.token(form, self.headers.get("Authorization", "")), 400)
        elif self.path == "/authorize":
            self._shown(lambda: self._send(303, "text/plain", b"", Location=self.demo_id.agree(form)))
        else:
            self._send(404, "text/plain", b"There is no such page.\n")

    def _is_known(self) -> bool:
        """Refuse other host names, because any domain can be made to resolve to this machine."""
        known = self.headers.get("Host") == self.demo_id.issuer.partition("://")[2]
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
