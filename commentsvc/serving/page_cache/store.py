"""A store of cached pages with a limit in bytes and SIEVE eviction, so that a crawler cannot flush it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from commentsvc.domain.threads.versions import VersionStamp
from commentsvc.serving import compression
from commentsvc.serving.page_cache.policy import CachePolicy

ALIASES = 8
"""Spellings of a page's query under which it is found without parsing the query."""
OVERHEAD = 2_200
"""Bytes of memory per page in addition to its bodies and queries."""

Headers = list[tuple[str, str]]


class CachedPage:
    """A response as bytes, in each coding that was requested."""

    __slots__ = (
        "asked",
        "cell",
        "checked",
        "compressible",
        "effort",
        "kind",
        "name",
        "queries",
        "ready",
        "renders",
        "second",
        "short",
        "signal",
        "signal_for_all",
        "stamp",
        "tag",
        "until",
        "used",
    )  # fmt: skip

    def __init__(self, name: str, tag: str, headers: Headers, keep: CachePolicy, *, until: float) -> None:
        self.name, self.tag = name, tag
        self.kind = [one for one in headers if one[0] == "Content-Type"]
        self.short = [one for one in headers if one[0] != "Content-Type"]
        """Headers of a 304 response."""
        self.stamp: VersionStamp | None = keep.stamp
        self.effort = compression.BEST if keep.permanent else compression.QUICK
        self.until = until
        self.cell = self.signal = self.signal_for_all = 0
        """The cell of its thread in the change signal; the values of this cell and of EVERYTHING at the last check."""
        self.checked = 0.0
        self.ready: dict[str, tuple[Headers, list[bytes]]] = {}
        self.queries: list[str] = []
        self.second, self.renders = 0.0, 0
        """When the current second of `RENDERS` began, and the renderings since."""
        self.compressible = True
        self.asked = self.used = False
        """Whether it was requested since the eviction hand last passed, and since its version was last read."""

    def body(self) -> bytes:
        """Return the uncompressed body."""
        coding, (_, parts) = next(iter(self.ready.items()))
        return compression.decompressed(parts[0], coding)

    def add(self, coding: str, body: bytes) -> tuple[Headers, list[bytes]]:
        """Add and return the response in `coding`; `body` is uncompressed."""
        parts = [compression.compressed(body, coding, self.effort)]
        named = [] if coding == compression.IDENTITY else [("Content-Encoding", coding)]
        headers = [*self.kind, *self.short, *named, ("Content-Length", str(len(parts[0])))]
        self.ready[coding] = headers, parts
        return self.ready[coding]

    def comes_after(self, before: CachedPage | None, now: float) -> None:
        """Continue the count of renderings of the page that this one replaces."""
        within = before is not None and now - before.second <= 1
        self.second, self.renders = (before.second, before.renders + 1) if before and within else (now, 1)

    def compress_well(self) -> None:
        """Compress again with more effort, because the page is requested repeatedly."""
        self.effort = compression.WELL
        body = self.body()
        for coding in list(self.ready):
            self.add(coding, body)

    def size(self) -> int:
        """Return an estimate of its memory in bytes."""
        bodies = sum(len(parts[0]) for _, parts in list(self.ready.values()))  # another thread may add one
        return bodies + OVERHEAD + len(self.name) + sum(map(len, self.queries))


class PageStore:
    """Pages by name, up to `room` bytes. Pages that were requested only once are evicted first.

    The algorithm is SIEVE (Zhang et al., NSDI 2024): a hand moves from the oldest page to the newest, skips pages that
    were requested since it last passed, and evicts the first that was not.
    """

    def __init__(self, room: int, *, dropped: Callable[[CachedPage], None]) -> None:
        self.room = room
        self.taken = 0
        self._pages: OrderedDict[str, CachedPage] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._waiting: list[str] = []
        self._dropped = dropped
        self._lock = threading.Lock()

    def get(self, name: str) -> CachedPage | None:
        return self._pages.get(name)

    def put(self, page: CachedPage) -> None:
        """Add a page, replacing one of the same name; a page larger than `room` is not stored."""
        with self._lock:
            self._remove(page.name)
            self._pages[page.name] = page
            self._weigh(page)
            self._make_room()

    @contextmanager
    def holding(self, page: CachedPage) -> Iterator[bool]:
        """Yield whether a page is stored, prevent its eviction during the block, and update its size afterwards."""
        with self._lock:
            is_stored = self._pages.get(page.name) is page
            yield is_stored
            if is_stored:
                self._weigh(page)
                self._make_room()

    def weigh(self, page: CachedPage) -> None:
        """Update a page's size after it grew."""
        with self.holding(page):
            pass

    def drop(self, page: CachedPage) -> None:
        """Remove a page if it is still stored."""
        with self._lock:
            if self._pages.get(page.name) is page:
                self._remove(page.name)

    def clear(self) -> None:
        """Remove all pages."""
        for page in self.all():
            self.drop(page)

    def all(self) -> list[CachedPage]:
        """Return a list of all pages."""
        with self._lock:
            return list(self._pages.values())

    def _weigh(self, page: CachedPage) -> None:
        size = page.size()
        self.taken += size - self._sizes.get(page.name, 0)
        self._sizes[page.name] = size

    def _make_room(self) -> None:
        while self.taken > self.room:
            if not self._waiting:  # the hand starts again at the oldest page
                self._waiting = list(reversed(self._pages))
            page = self._pages.get(self._waiting.pop())
            if page is not None and page.asked:
                page.asked = False
            elif page is not None:
                self._remove(page.name)

    def _remove(self, name: str) -> None:
        page = self._pages.pop(name, None)
        if page is not None:
            self.taken -= self._sizes.pop(name)
            self._dropped(page)
