"""The store of rate limits where there is no Redis: when each of those who are counted did what is limited.

That of the library starts a thread with nearly every act and has it look through all that is kept. This one looks at
two of those it keeps with every act, and so forgets each of them soon after its time.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from threading import Lock

from limits.storage import MemoryStorage

_LOOKED_AT = 2


class MemoryWindow(MemoryStorage):
    """What a moving window needs."""

    STORAGE_SCHEME = ["commentsvc"]  # noqa: RUF012 - as the library declares it

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[int, deque[float]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Note an act, unless there were `limit` within the last `expiry` seconds."""
        now = time.monotonic()
        with self._lock:
            self._forget(now)
            moments = self._kept.setdefault(key, (expiry, deque()))[1]
            while moments and moments[0] < now - expiry:
                moments.popleft()
            if len(moments) + amount > limit:
                return False
            moments.extend([now] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the first act within the window was, and how many there were since."""
        now = time.monotonic()
        with self._lock:
            moments = [at for at in self._kept.get(key, (expiry, ()))[1] if at >= now - expiry]
        # The library asks in Unix seconds; kept they are on a clock that nobody sets back.
        return time.time() - (now - moments[0] if moments else 0.0), len(moments)

    def reset(self) -> int:
        """Forget everything; return of how many."""
        with self._lock:
            number = len(self._kept)
            self._kept.clear()
        return number

    def clear(self, key: str) -> None:
        """Forget what one of them did."""
        with self._lock:
            self._kept.pop(key, None)

    def _forget(self, now: float) -> None:
        for _ in range(min(_LOOKED_AT, len(self._kept))):
            key, (expiry, moments) = self._kept.popitem(last=False)
            if moments and moments[-1] >= now - expiry:
                self._kept[key] = (expiry, moments)  # at the end, to be looked at again in its turn
