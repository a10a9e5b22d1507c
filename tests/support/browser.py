"""A real browser, the real application on a port, and a blog that embeds it; pytest loads this as a plugin.

A test asks for `page` (and `context`, `chromium`), `service` and `blog`. Whatever the browser complains about in
its console fails the test at its end; a test that expects a complaint empties the list `complaints` first.
"""

from __future__ import annotations

import os
import shutil
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    expect,
    sync_playwright,
)
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import begin_write, db
from commentsvc.domain.accounts import accounts
from commentsvc.domain.sites import sites
from commentsvc.models import Policy
from tests.support import chromium as chromium_finder

# Of a switch given twice Chromium heeds the last. Playwright's own list turns storage partitioning off, and with
# it just what a comment frame has to live with; this one is that list without it.
NOT_WANTED = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    # Pages that suggest addresses, drawn anew for each window: a third of what a short test costs.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
)
SWITCHES = (
    f"--disable-features={','.join(NOT_WANTED)}",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP *.test 127.0.0.1",
)
PATIENCE = 30
"""Seconds."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that needs a browser, so that `-m 'not browser'` leaves it out."""
    for item in items:
        if {"chromium", "engine"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for all tests; each test has a context, so a profile, of its own."""
    from tests.conftest import missing

    path = chromium_finder.find()
    if path is None:
        missing("Chromium", "none is installed; `python -m tests.support.chromium` brings one")
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        for name in ("click", "dblclick", "check", "uncheck"):
            patch.setattr(Locator, name, _pointed(getattr(Locator, name)))
        browser = playwright.chromium.launch(executable_path=path, args=[*SWITCHES, *root])
        yield browser
        browser.close()


def _pointed(act: Callable[..., None]) -> Callable[..., None]:
    """Make a click in a frame wait until the frame feels the pointer.

    The browser gives a click to whatever it last painted at that spot. A frame that has just grown, moved or been
    scrolled to may lie elsewhere in that picture, and the click would go to the page around it, without a word.
    People click what they see; tests are quicker than the picture, above all in a tab that is not in front.
    """

    @wraps(act)
    def acted(target: Locator, *args: Any, **options: Any) -> None:
        if target.evaluate("() => window !== top"):
            until = monotonic() + PATIENCE
            target.hover()
            while not target.evaluate("(element) => element.matches(':hover')"):
                assert monotonic() < until, f"the frame never felt the pointer on {target}"
                target.hover()
        act(target, *args, **options)

    return acted


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said in red, and errors no script caught."""
    return []


@pytest.fixture
def context(
    request: pytest.FixtureRequest, chromium: Browser, complaints: list[str]
) -> Iterator[BrowserContext]:
    """A browser profile of one test's own."""
    for outlasts in {"service", "blog"} & set(request.fixturenames):
        request.getfixturevalue(outlasts)  # begun before the browser's first request, they end after its last
    context = chromium.new_context(locale="en-GB", timezone_id="UTC")
    context.set_default_timeout(PATIENCE * 1000)

    def hear(message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        if message.type == "error" and not url.endswith("/favicon.ico"):
            complaints.append(f"{message.text} ({url})")

    context.on("console", hear)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    assert complaints == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page in the test's own profile."""
    return context.new_page()


@dataclass(frozen=True)
class Service:
    """The application, answering at `url`."""

    app: Flask
    url: str

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A database session in a writing transaction; the caller commits."""
        with self.app.app_context(), Session(db.engine, expire_on_commit=False) as session:
            begin_write(session)
            yield session


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def service_variables() -> Callable[[str], dict[str, str]]:
    """Further variables of the service, once its URL is known; a test that wants some overrides this."""
    return lambda url: {}


@pytest.fixture
def certificates() -> Callable[[str], ssl.SSLContext] | None:
    """What makes a server's certificate for a host; a test by https overrides this."""
    return None


@pytest.fixture
def service(
    tmp_path: Path,
    migrated_sqlite: Path,
    service_variables: Callable[[str], dict[str, str]],
    certificates: Callable[[str], ssl.SSLContext] | None,
) -> Iterator[Service]:
    """The real application with a new database, on a free port of 127.0.0.1."""
    from tests.conftest import dispose, environment

    # The port must be known before the application is: its base URL is one of its settings.
    waiting: list[Flask] = []
    server = make_server(
        "127.0.0.1",
        0,
        lambda environ, start: waiting[0](environ, start),
        threaded=True,
        request_handler=_Quiet,
    )
    if certificates:
        server.ssl_context = certificates("127.0.0.1")
        _encrypt(server, server.ssl_context)
    url = f"{'https' if certificates else 'http'}://127.0.0.1:{server.server_port}"
    data_dir = tmp_path / "service"
    data_dir.mkdir()
    shutil.copy(migrated_sqlite, data_dir / "comments.sqlite")
    app = create_app(
        Settings.from_env(environment(data_dir, COMMENTSVC_BASE_URL=url, **service_variables(url)))
    )
    waiting.append(app)
    with _running(server):
        yield Service(app, url)
    dispose(app)


@dataclass(frozen=True)
class Blog:
    """A website that embeds the service; a test fills `pages` with HTML by path."""

    port: int
    site_id: int
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every page."""
    scheme: str = "http"

    @property
    def origin(self) -> str:
        """The blog's usual address, another site than the service's for a browser."""
        return f"{self.scheme}://localhost:{self.port}"

    @property
    def insecure_origin(self) -> str:
        """The same pages under a name that browsers do not hold for trustworthy without TLS."""
        return f"http://blog.test:{self.port}"

    def url(self, path: str = "/") -> str:
        """Return the address of a page."""
        return self.origin + path


class _Pages(BaseHTTPRequestHandler):
    blog: Blog

    def do_GET(self) -> None:
        html = self.blog.pages.get(self.path.partition("?")[0])
        body = (html if html is not None else "<!doctype html><title>Nothing here</title>").encode()
        self.send_response(200 if html is not None else 404)
        for name, value in self.blog.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def blog(service: Service, certificates: Callable[[str], ssl.SSLContext] | None) -> Iterator[Blog]:
    """A website on a free port, registered with the service; its comments appear at once, however many."""
    handler = type("Pages", (_Pages,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    port = server.server_port
    scheme = "https" if certificates else "http"
    if certificates:
        _encrypt(server, certificates("localhost"))
    with service.writing() as session:
        origins = [f"{scheme}://localhost:{port}", f"{scheme}://blog.test:{port}"]
        site = sites.add(session, "Blog", origins, owner_id=accounts.operator(session).id)
        site.policy, site.most_links, site.valve = Policy.OPEN, 1000, False
        session.commit()
        handler.blog = Blog(port, site.id, scheme=scheme)  # type: ignore[attr-defined]
    with _running(server):
        yield handler.blog  # type: ignore[attr-defined]


def _encrypt(server: HTTPServer, tls: ssl.SSLContext) -> None:
    """Speak TLS; each connection shakes hands in its own thread, so that a slow one keeps nobody waiting."""
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)


@contextmanager
def _running(server: HTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
