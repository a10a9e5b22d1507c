"""In-memory store of rate limits, used without Redis: the times of each key's recent hits.

The library's own store starts a thread when it is made, and on almost every hit, to scan all keys. This one starts
none, because the server forks. It checks two keys with every hit, and so deletes each soon after it has expired.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from threading import Lock

from limits.storage import MovingWindowSupport, Storage

_LOOKED_AT = 2


class MemoryWindow(Storage, MovingWindowSupport):
    """The methods that the library's moving-window strategy needs; those of other strategies are not implemented."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[int, deque[float]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """Errors of a server behind the storage; there is none."""
        return ()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Record `amount` hits and return True, unless that makes more than `limit` in the last `expiry` seconds."""
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            moments = self._kept.setdefault(key, (expiry, deque()))[1]
            _forget_before(now - expiry, moments)
            if len(moments) + amount > limit:
                return False
            moments.extend([now] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return the time of the first hit in the window, and the number of hits."""
        now = time.monotonic()
        with self._lock:
            moments = self._kept.get(key, (expiry, deque[float]()))[1]
            _forget_before(now - expiry, moments)
            # The library expects Unix time; we store monotonic time, which never goes back.
            return time.time() - (now - moments[0] if moments else 0.0), len(moments)

    def reset(self) -> int:
        """Delete everything and return the number of keys."""
        with self._lock:
            number = len(self._kept)
            self._kept.clear()
        return number

    def clear(self, key: str) -> None:
        """Delete the hits of one key."""
        with self._lock:
            self._kept.pop(key, None)

    def check(self) -> bool:
        """Return whether the storage can be used."""
        return True

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError

    def get(self, key: str) -> int:
        raise NotImplementedError

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError

    def _forget(self, now: float) -> None:
        for _ in range(min(_LOOKED_AT, len(self._kept))):
            key, (expiry, moments) = self._kept.popitem(last=False)
            if moments and moments[-1] >= now - expiry:
                self._kept[key] = (expiry, moments)  # at the end of the queue


def _forget_before(earliest: float, moments: deque[float]) -> None:
    while moments and moments[0] < earliest:
        moments.popleft()
