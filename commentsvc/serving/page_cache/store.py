"""The cached pages: bounded in bytes, and not to be emptied by a crawler that asks for each page once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from commentsvc.domain.threads.versions import VersionStamp
from commentsvc.serving import compression
from commentsvc.serving.page_cache.policy import CachePolicy

ALIASES = 8
"""Ways of writing a page's query under which it is found without reading the query."""
OVERHEAD = 1_500
"""Bytes that a page takes in memory beside its body."""

Headers = list[tuple[str, str]]


@lru_cache(256)
def _shared(header: tuple[str, str]) -> tuple[str, str]:
    """Return a header as other pages have it already: most of a site's are the same on all."""
    return header


class CachedPage:
    """An answer as bytes, in each coding that somebody asked for."""

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
        self.kind = [_shared(one) for one in headers if one[0] == "Content-Type"]
        self.short = [_shared(one) for one in headers if one[0] != "Content-Type"]
        """Headers of the answer to somebody who has it already."""
        self.stamp: VersionStamp | None = keep.stamp
        self.effort = compression.BEST if keep.permanent else compression.QUICK
        self.until = until
        self.cell = self.signal = self.signal_for_all = 0
        """The signal's cell of its thread, and the values that this cell and everybody's had."""
        self.checked = 0.0
        self.ready: dict[str, tuple[Headers, list[bytes]]] = {}
        self.queries: list[str] = []
        self.second, self.renders = 0.0, 0
        """When the count of this second's renderings began, and how many there were."""
        self.compressible = True
        """Whether it is worth compressing."""
        self.asked = self.used = False
        """Since the store last made room; since its versions were last asked for."""

    def body(self) -> bytes:
        """Return the bytes as they were before any compression."""
        coding, (_, parts) = next(iter(self.ready.items()))
        return compression.decompressed(parts[0], coding)

    def add(self, coding: str, body: bytes) -> tuple[Headers, list[bytes]]:
        """Make the answer ready in a coding; `body` is uncompressed."""
        parts = [compression.compressed(body, coding, self.effort)]
        named = [] if coding == compression.IDENTITY else [("Content-Encoding", coding)]
        headers = [*self.kind, *self.short, *named, ("Content-Length", str(len(parts[0])))]
        self.ready[coding] = headers, parts
        return self.ready[coding]

    def comes_after(self, before: CachedPage | None, now: float) -> None:
        """Count how often a page of this name was rendered."""
        within = before is not None and now - before.second <= 1
        self.second, self.renders = (before.second, before.renders + 1) if before and within else (now, 1)

    def compress_well(self) -> None:
        """Take the time for it: this is being read."""
        self.effort = compression.WELL
        body = self.body()
        for coding in list(self.ready):
            self.add(coding, body)

    def size(self) -> int:
        """Return about how many bytes of memory it takes."""
        bodies = sum(len(parts[0]) for _, parts in list(self.ready.values()))  # another thread may add one
        return bodies + OVERHEAD + len(self.name) + sum(map(len, self.queries))


class PageStore:
    """Pages by name, `room` bytes of them. To make room, those go first that nobody asked for a second time.

    (The rule is SIEVE's: a hand goes from the oldest to the newest, spares what was asked for since it last came by,
    and takes the first that was not. Zhang et al., NSDI 2024.)
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
        """Return a page."""
        return self._pages.get(name)

    def put(self, page: CachedPage) -> None:
        """Add a page, in the place of another of its name; one larger than all the room is not kept."""
        with self._lock:
            self._remove(page.name)
            self._pages[page.name] = page
            self._weigh(page)
            self._make_room()

    @contextmanager
    def holding(self, page: CachedPage) -> Iterator[bool]:
        """Say whether a page stands here, leave it there for as long as the block lasts, and count it anew."""
        with self._lock:
            stands = self._pages.get(page.name) is page
            yield stands
            if stands:
                self._weigh(page)
                self._make_room()

    def weigh(self, page: CachedPage) -> None:
        """Count a page anew after it grew."""
        with self.holding(page):
            pass

    def drop(self, page: CachedPage) -> None:
        """Take a page away, if it still stands here."""
        with self._lock:
            if self._pages.get(page.name) is page:
                self._remove(page.name)

    def clear(self) -> None:
        """Take everything away."""
        for page in self.all():
            self.drop(page)

    def all(self) -> list[CachedPage]:
        """Return every page there is."""
        with self._lock:
            return list(self._pages.values())

    def _weigh(self, page: CachedPage) -> None:
        size = page.size()
        self.taken += size - self._sizes.get(page.name, 0)
        self._sizes[page.name] = size

    def _make_room(self) -> None:
        while self.taken > self.room:
            if not self._waiting:  # the hand begins again at the oldest
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
