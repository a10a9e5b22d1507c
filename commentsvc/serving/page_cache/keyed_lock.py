"""A lock per key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class KeyedLock:
    """A lock for each name that a thread holds or waits for; unused locks are deleted."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._wanted: dict[str, _Holders] = {}

    def __len__(self) -> int:
        return len(self._wanted)

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold the lock of `name` for the duration of the block."""
        with self._lock:
            wanted = self._wanted.setdefault(name, _Holders())
            wanted.by += 1
        try:
            with wanted.turn:
                yield
        finally:
            with self._lock:
                wanted.by -= 1
                if not wanted.by:
                    del self._wanted[name]


class _Holders:
    def __init__(self) -> None:
        self.turn, self.by = Lock(), 0
