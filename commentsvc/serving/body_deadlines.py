"""Ends connections whose request body is too slow, with one thread for all: a timer for each costs 0.4 ms."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

EVERY = 0.5
"""Seconds between two checks, while bodies are being read."""


class BodyDeadlines:
    """The bodies that are being read, with the time at which each must have arrived."""

    def __init__(self) -> None:
        self._pending: dict[object, tuple[float, Callable[[], object]]] = {}
        self._has_pending = Event()
        self._thread: Thread | None = None

    @contextmanager
    def ends_after(self, seconds: float, abort: Callable[[], object]) -> Iterator[None]:
        """Call `abort` once if the block is not left within `seconds`, or up to `EVERY` later."""
        key = object()
        self._pending[key] = time.monotonic() + seconds, abort
        self._has_pending.set()
        if self._thread is None:  # not before: a process may still fork
            self._thread = Thread(target=self._watch, name="body deadlines", daemon=True)
            self._thread.start()
        try:
            yield
        finally:
            self._pending.pop(key, None)

    def _watch(self) -> None:
        while True:
            self._has_pending.wait()
            time.sleep(EVERY)
            now = time.monotonic()
            for key, (due, abort) in list(self._pending.items()):
                if due <= now and self._pending.pop(key, None) is not None:
                    abort()
            if not self._pending:
                self._has_pending.clear()
                if self._pending:  # one came in between
                    self._has_pending.set()
