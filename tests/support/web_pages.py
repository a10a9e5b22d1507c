"""A real HTTP server with pages that a test changes while it runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class WebPages:
    """The pages by path; a number instead of a text is the status of an answer without one."""

    origin: str
    pages: dict[str, str | int] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"{self.origin}{path}"


@contextmanager
def web_pages() -> Iterator[WebPages]:
    """Run a server on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages.requests.append(self.path)
            page = pages.pages.get(self.path, 404)
            status = 302 if self.path in pages.redirects else page if isinstance(page, int) else 200
            body = page.encode() if isinstance(page, str) else b""
            self.send_response(status)
            if status == 302:
                self.send_header("Location", pages.redirects[self.path])
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write no log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pages = WebPages(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield pages
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
