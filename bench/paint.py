"""Measures the time, requests and bytes from the script tag to painted comments, in a real Chromium."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Request, sync_playwright

from bench.asking import WrongAnswerError

PATIENCE = 60.0
QUIET_MS = 1_000
"""Time after the paint for resources that load late."""
CODE = frozenset({"script", "stylesheet"})

# Runs first in every document; records when the first frame with this many comments is drawn. The first of the two
# callbacks runs before that frame is drawn, the second after.
_WATCH = """(() => {
  const look = () => {
    if (document.querySelectorAll(%(comment)r).length < %(many)d) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame(() => {
      benchPainted(performance.timeOrigin + performance.now());
    }));
  };
  requestAnimationFrame(look);
})();"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>An article</title><link rel="icon" href="data:,"></head>
<body style="max-width:40rem;margin:1rem auto;font:1rem/1.5 sans-serif"><h1>An article</h1><p>It is short.</p>
<script>window.benchBegan = performance.timeOrigin + performance.now();</script>
{tag}
</body></html>"""


@dataclass(frozen=True)
class Embedded:
    """How a service is embedded in a page, and how to find its comments there."""

    tag: str
    comment: str
    """A CSS selector."""
    origin: str


def ours(origin: str) -> Embedded:
    """Return the embed code from our README, with `data-service` because nginx has its own address."""
    tag = f'<div id="comments"></div><script async data-service="{origin}" src="{origin}/embed.js"></script>'
    return Embedded(tag, "article.comment", origin)


def isso(origin: str) -> Embedded:
    """Return the embed code from Isso's documentation."""
    tag = f'<script data-isso="{origin}/" src="{origin}/js/embed.min.js"></script><section id="isso-thread"></section>'
    return Embedded(tag, ".isso-comment", origin)


@dataclass(frozen=True)
class Painted:
    """One first visit."""

    milliseconds: float
    requests: int
    """Those that began before the paint."""
    code_kb: float
    """Their scripts and styles as transferred, in KB of 1024 bytes, apart from what stands in a page."""
    later_requests: int
    """Those that began after the paint: for a form in sight."""
    all_kb: float
    """All of the service's bodies, before the paint and after it."""


@dataclass
class Blog:
    """A website on this machine whose articles embed a service."""

    port: int
    tag: str = ""
    """The service that every article currently embeds."""

    @property
    def origin(self) -> str:
        """The blog's origin; for browsers localhost is another site than 127.0.0.1."""
        return f"http://localhost:{self.port}"


@contextmanager
def blog() -> Iterator[Blog]:
    """Serve articles at a free port; each path is an article."""
    handler = type("Articles", (_Articles,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.blog = Blog(server.server_port)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield handler.blog  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Articles(BaseHTTPRequestHandler):
    blog: Blog

    def do_GET(self) -> None:
        self._answer(_PAGE.format(tag=self.blog.tag).encode())

    def do_HEAD(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def chromium() -> Iterator[Browser | None]:
    """Start the Chromium of the tests with their switches; yield None if it is not installed."""
    sys.path.append(str(Path(__file__).parent.parent))
    from tests.support import browser as tests_browser
    from tests.support import chromium as finder

    path = finder.find()
    if path is None:
        yield None
        return
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*tests_browser.SWITCHES, *root])
        yield browser
        browser.close()


def visit(browser: Browser, where: Blog, path: str, embedded: Embedded, many: int) -> Painted:
    """Open an article with a new profile; return the figures until `many` comments were painted."""
    where.tag = embedded.tag
    context = browser.new_context(locale="en-GB", timezone_id="UTC", viewport={"width": 1280, "height": 900})
    try:
        context.add_init_script(_WATCH % {"comment": embedded.comment, "many": many})
        painted: list[float] = []
        context.expose_binding("benchPainted", lambda _source, at: painted.append(at))
        page = context.new_page()
        finished: list[Request] = []
        page.on("requestfinished", lambda request: finished.append(request))
        page.goto(f"{where.origin}{path}")
        until = time.monotonic() + PATIENCE
        while not painted:
            page.wait_for_timeout(20)
            if time.monotonic() > until:
                raise WrongAnswerError(f"{embedded.origin}: no {many} comments in the page")
        took = painted[0] - page.evaluate("benchBegan")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(QUIET_MS)
        return _counted(took, painted[0], [one for one in finished if one.url.startswith(embedded.origin)])
    finally:
        context.close()


def _counted(milliseconds: float, painted_at: float, requests: list[Request]) -> Painted:
    """Count requests; `painted_at` is in milliseconds since 1970, as a request's start is."""
    sizes = {one: one.sizes()["responseBodySize"] for one in requests}
    needed = [one for one in requests if one.timing["startTime"] < painted_at]
    code = sum(sizes[one] for one in needed if one.resource_type in CODE)
    later = len(requests) - len(needed)
    return Painted(milliseconds, len(needed), code / 1024, later, sum(sizes.values()) / 1024)


def middle(visits: list[Painted]) -> Painted:
    """Return the median of each figure."""
    return Painted(
        median(one.milliseconds for one in visits),
        round(median(one.requests for one in visits)),
        median(one.code_kb for one in visits),
        round(median(one.later_requests for one in visits)),
        median(one.all_kb for one in visits),
    )
