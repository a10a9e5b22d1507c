"""The demonstration's blog, which is reachable only from this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

HOST = "127.0.0.1"
"""The only address it listens on, because it is not a production web server."""
NAME = "The Quiet Margin"
COMMENT_SECTION, BY_HAND, FIRST_FROST = "/comment-section/", "/by-hand/", "/first-frost/"
ARABIC, JAPANESE = "/ar/", "/ja/"
TITLES = {
    COMMENT_SECTION: "The quiet comeback of the comment section",
    BY_HAND: "A question for Friday: what do you still do by hand?",
    FIRST_FROST: "Notes on the first frost",
    ARABIC: "الشاي الذي برد",
    JAPANESE: "駅前の本屋",
}
LANGUAGES = {ARABIC: "ar", JAPANESE: "ja"}
"""Of pages that are not in English."""
PAGES = {
    "/": "index.html",
    COMMENT_SECTION: "comment-section.html",
    BY_HAND: "by-hand.html",
    FIRST_FROST: "first-frost.html",
    ARABIC: "arabic.html",
    JAPANESE: "japanese.html",
    "/two-threads/": "two-threads.html",
    "/one-page-app/": "one-page-app.html",
    "/looks/": "looks.html",
}
FILES = {
    "/style.css": "text/css",
    "/blog.js": "text/javascript",
    "/one-page-app.js": "text/javascript",
    "/looks.js": "text/javascript",
}

_FOLDER = Path(__file__).parent / "pages"
_TEMPLATES = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True)


def render(path: str, *, blog: str, service: str) -> tuple[str, bytes] | None:
    """Return the content type and body of the page or file at `path`; None if there is none.

    `blog` and `service` are the origins of the blog and of the comment service.
    """
    if path in FILES:
        return FILES[path], (_FOLDER / path[1:]).read_bytes()
    if path not in PAGES:
        return None
    page = _TEMPLATES.get_template(PAGES[path])
    facts = {
        "name": NAME,
        "titles": TITLES,
        "languages": LANGUAGES,
        "path": path,
        "blog": blog,
        "service": service,
    }
    return "text/html", page.render(facts).encode()


@contextmanager
def running(port: int, *, service: str) -> Iterator[str]:
    """Serve the blog with comments from the origin `service`; yields the blog's origin."""
    # For browsers localhost is another site than 127.0.0.1, as a real blog is another site than its comment service.
    origin = f"http://localhost:{port}"
    handler = type("Pages", (_Pages,), {"origin": origin, "service": service})
    server = ThreadingHTTPServer((HOST, port), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield origin
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Pages(BaseHTTPRequestHandler):
    origin: str
    service: str

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if self.headers.get("Host") != self.origin.partition("://")[2]:
            self._answer(302, "text/plain", b"", Location=self.origin + path)
        elif page := render(path, blog=self.origin, service=self.service):
            self._answer(200, *page)
        else:
            self._answer(404, "text/plain", b"There is no such page.\n")

    def _answer(self, status: int, content_type: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing; only the service's log matters here."""
