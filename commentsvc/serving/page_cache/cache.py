"""The page cache in front of Flask: serves responses that are the same for everybody from memory.

A page is rendered and compressed once. Before every response the cache checks the change signal, which each process of
this machine changes after a commit. At most once a second it also reads the versions of the pages in use from the
database, because other machines may have committed. Every other request goes on to Flask.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from time import monotonic, time
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from commentsvc.db.outage import outage_of
from commentsvc.domain.threads import versions
from commentsvc.serving import compression
from commentsvc.serving.access_log import FROM_MEMORY
from commentsvc.serving.page_cache import keys
from commentsvc.serving.page_cache.change_signal import EVERYTHING, ChangeSignal, cell_of
from commentsvc.serving.page_cache.keyed_lock import KeyedLock
from commentsvc.serving.page_cache.policy import ENVIRON, CachePolicy
from commentsvc.serving.page_cache.store import ALIASES, CachedPage, Headers, PageStore
from commentsvc.serving.wsgi_bridge import BegunResponse, whole

ASKS_EVERY = 1.0
"""Seconds after which a page's version is read again even without a signal."""
PERIOD = 12 * 3600
"""Seconds after which a page is rendered again to renew its form token, even if nothing else changed."""
RENDERS = 10
"""How often per second a page is rendered while comments pour in; between renderings the last one is served."""
TOGETHER = 400
"""Pages whose versions are read in one query."""
_MEMORABLE = 4 * 1024
_SMALL = 300
"""Bytes below which compression is not worth it."""
_TEXT = ("text/", "application/json", "application/feed", "application/atom", "image/svg")

_NOT_KEPT = frozenset({"Accept-Ranges", "Content-Length", "Date", "ETag", "Vary"})

_THEIR_OWN = (
    "HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_MATCH", "HTTP_IF_RANGE", "HTTP_RANGE",
    "HTTP_X_AUTHOR_KEY",
)  # fmt: skip
"""Request headers that are removed before a shared page is rendered: they identify the reader or their own copy."""


class PageCache:
    """WSGI middleware that stores the responses that a view passed to `policy.mark_cacheable`."""

    def __init__(
        self,
        app: WSGIApplication,
        *,
        room: int,
        signal: ChangeSignal,
        engine: Engine,
        listen: Callable[[], None] | None = None,
    ) -> None:
        """`room` is in bytes. `listen` is called once, before the first page is stored."""
        self._app = app
        self._listen = listen
        self._signal = signal
        self._engine = engine
        self._by_query: dict[str, CachedPage] = {}
        self.store = PageStore(room, dropped=self._forget)
        self._locks, self._asking = KeyedLock(), threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer from memory, or pass the request on."""
        path = environ["PATH_INFO"]
        if (path not in keys.PARAMETERS and not path.startswith("/static/")) or (
            path == "/thread" and ("HTTP_COOKIE" in environ or "HTTP_AUTHORIZATION" in environ)
        ):
            return self._app(environ, start)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._app(environ, start)
        if path in keys.STANDALONE and (accepted := environ.get("HTTP_ACCEPT_LANGUAGE")):
            environ["QUERY_STRING"] = keys.with_language(environ.get("QUERY_STRING", ""), accepted)
        page = self._by_query.get(f"{path}?{environ.get('QUERY_STRING', '')}")
        if page is None or not self._is_fresh(page):
            return self._answer_anew(environ, start)
        environ[FROM_MEMORY] = True
        return self._answer(page, environ, start)

    def _is_fresh(self, page: CachedPage) -> bool:
        """Whether a page may be served without reading its version again."""
        now = monotonic()
        if page.stamp is None or now >= page.until:
            return now < page.until
        return now - page.checked < ASKS_EVERY and not self._has_signal(page)

    def _has_signal(self, page: CachedPage) -> bool:
        """Whether a process of this machine has changed something since the page was checked."""
        cells = self._signal.snapshot()
        return cells[EVERYTHING] != page.signal_for_all or cells[page.cell] != page.signal

    def _answer(self, page: CachedPage, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        page.asked = page.used = True
        known = environ.get("HTTP_IF_NONE_MATCH")
        if known is not None and (page.tag in known or known == "*"):
            start("304 Not Modified", page.short)
            return ()
        coding = self._coding(page, environ.get("HTTP_ACCEPT_ENCODING", ""))
        headers, parts = page.ready.get(coding) or self._add(page, coding)
        start("200 OK", headers)
        return parts if environ["REQUEST_METHOD"] == "GET" else ()

    def _coding(self, page: CachedPage, accepted: str) -> str:
        return compression.chosen(accepted) if page.compressible else compression.IDENTITY

    def _add(self, page: CachedPage, coding: str) -> tuple[Headers, list[bytes]]:
        with self._locks.hold(page.name):
            ready = page.ready.get(coding) or page.add(coding, page.body())
        self.store.weigh(page)
        return ready

    def _answer_anew(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Find the page by its cache key; check its version or render it, once for all who wait for it."""
        query = environ.get("QUERY_STRING", "")
        wanted = keys.cache_key(environ["PATH_INFO"], query)
        if wanted is None:
            return self._app(environ, start)
        name = f"{environ['PATH_INFO']}?{wanted}"
        page = self.store.get(name)
        if page is not None and self._is_being_asked(page):
            return self._answer(page, environ, start)
        with self._locks.hold(name):
            page = before = self.store.get(name)
            if page is not None and not self._is_fresh(page) and not self._is_let_be(page):
                page = self._asked_about(page)
                if page is not None and page.effort == compression.QUICK:
                    page.compress_well()
                    self.store.weigh(page)
            if page is None:
                page, plain = self._rendered(name, {**environ, "QUERY_STRING": wanted})
                if page is None:
                    return _varying_tokens(plain, environ, start)
                page.comes_after(before, monotonic())
        self._remember(page, f"{environ['PATH_INFO']}?{query}")
        return self._answer(page, environ, start)

    def _rendered(
        self, name: str, environ: WSGIEnvironment
    ) -> tuple[CachedPage | None, tuple[str, Headers, bytes]]:
        """Let Flask answer; return the page (None if it must not be stored) and the plain response."""
        listen, self._listen = self._listen, None
        if listen:
            listen()
        cells, now = self._signal.snapshot(), monotonic()
        for header in _THEIR_OWN:
            environ.pop(header, None)
        accepted, environ["REQUEST_METHOD"] = environ.get("HTTP_ACCEPT_ENCODING", ""), "GET"
        status, headers, body = plain = _collected(self._app, environ)
        keep: CachePolicy | None = environ.get(ENVIRON)
        if keep is None or status != "200 OK" or any(key.lower() == "set-cookie" for key, _ in headers):
            return None, plain
        tag = f'"{_digest(body, keep.varying_token)}"'
        vary = ", ".join(["Accept-Encoding", *(value for key, value in headers if key == "Vary")])
        # A file's time tells when it was installed.
        dropped = _NOT_KEPT | {"Last-Modified"} if keep.permanent else _NOT_KEPT
        kept = [(key, value) for key, value in headers if key not in dropped]
        until = now + min(keep.seconds, PERIOD - time() % PERIOD if keep.varying_token else keep.seconds)
        page = CachedPage(name, tag, [*kept, ("ETag", f"W/{tag}"), ("Vary", vary)], keep, until=until)
        if keep.stamp is not None:
            page.cell = cell_of(*keep.stamp.concerns)
            self._mark(page, cells, now)
        page.compressible = len(body) >= _SMALL and dict(headers).get("Content-Type", "").startswith(_TEXT)
        page.add(self._coding(page, accepted), body)
        self.store.put(page)
        return page, plain

    def _is_let_be(self, page: CachedPage) -> bool:
        """Whether a page changes so often that it is served unchanged for the rest of this second."""
        now = monotonic()
        if page.renders < RENDERS or now - page.second > 1 or now >= page.until or page.stamp is None:
            return False
        self._mark(page, self._signal.snapshot(), page.second + 1 - ASKS_EVERY)
        return True

    def _is_being_asked(self, page: CachedPage) -> bool:
        """Whether a thread is reading versions, and nothing is known of a change: the database may not answer it."""
        return (
            self._asking.locked()
            and page.stamp is not None
            and monotonic() < page.until
            and not self._has_signal(page)
        )

    def _asked_about(self, page: CachedPage) -> CachedPage | None:
        """Check a page, and in the same query other pages in use; return None if it has changed."""
        if page.stamp is None or monotonic() >= page.until:
            self.store.drop(page)
            return None
        if not self._asking.acquire(timeout=ASKS_EVERY):
            return page  # another thread is asking, and the database does not answer
        try:
            if self._is_fresh(page):
                return page
            cells, now = self._signal.snapshot(), monotonic()
            others = [one for one in self.store.all() if one.used and one.stamp and one is not page]
            pages = [page, *others[: TOGETHER - 1]]
            for one, is_current in zip(
                pages, self._unchanged([one.stamp for one in pages if one.stamp]), strict=True
            ):
                one.used = False
                if is_current:
                    self._mark(one, cells, now)
                else:
                    self.store.drop(one)
        finally:
            self._asking.release()
        return page if self.store.get(page.name) is page else None

    def _unchanged(self, stamps: list[versions.VersionStamp]) -> list[bool]:
        """Return which states still hold; all of them while the database does not answer."""
        outage = outage_of(self._engine)
        try:
            with self._engine.connect() as connection:
                result = versions.unchanged(connection, stamps)
        except SQLAlchemyError as error:
            outage.failed(error, "cached pages are served unchanged", writing=False)
            return [True] * len(stamps)
        outage.worked(writing=False)
        return result

    def _mark(self, page: CachedPage, cells: memoryview[int], checked: float) -> None:
        page.signal_for_all, page.signal, page.checked = cells[EVERYTHING], cells[page.cell], checked

    def _remember(self, page: CachedPage, query: str) -> None:
        """Find the page by this spelling of its query from now on."""
        if len(query) > _MEMORABLE or query in page.queries:
            return
        with self.store.holding(page) as is_stored:
            if not is_stored:
                return
            page.queries.append(query)
            self._by_query[query] = page
            if len(page.queries) > ALIASES:
                self._by_query.pop(page.queries.pop(0), None)

    def _forget(self, page: CachedPage) -> None:
        for query in page.queries:
            if self._by_query.get(query) is page:
                self._by_query.pop(query, None)


def _collected(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, Headers, bytes]:
    """Return the status, headers and whole body of an application's response."""
    begun = BegunResponse()
    body = whole(app(environ, begun))
    return begun.status, begun.headers, body


def _varying_tokens(
    plain: tuple[str, Headers, bytes], environ: WSGIEnvironment, start: StartResponse
) -> Iterable[bytes]:
    status, headers, body = plain
    start(status, headers)
    return [body] if environ["REQUEST_METHOD"] == "GET" else ()


def _digest(body: bytes, varying_token: bytes) -> str:
    """Return a hash of a page without its varying token.

    SHA-256, because processors have instructions for it; other hashes take three times as long.
    """
    digest = hashlib.sha256(body.replace(varying_token, b"") if varying_token else body)
    if varying_token:
        digest.update(str(int(time() // PERIOD)).encode())
    return digest.hexdigest()[:24]
