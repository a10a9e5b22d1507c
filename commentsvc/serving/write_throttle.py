"""Readers first: while many are answered, whoever may be answered later gets a small share of the process's time.

A comment costs as much as a hundred readings of a page that is ready. Whoever sends comments without pause would
otherwise take half of the processor from all readers; so a comment then waits some hundredths of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic, sleep, thread_time

SHARE = 0.05
"""Of one processor, for all that can wait, while readers are many."""
MANY = 2_000
"""Readers answered in a second by one process."""
LOOK = 0.05
"""Seconds over which they are counted."""
DEAREST = 0.02
"""Seconds of computing; what takes longer is taken for this, so that nobody waits for long behind it."""


class WriteThrottle:
    """One turn after the other for what can wait."""

    def __init__(
        self,
        answered: Callable[[], int],
        *,
        clock: Callable[[], float] = monotonic,
        wait: Callable[[float], object] = sleep,
    ) -> None:
        """`answered` says how many readers were answered so far; `clock` and `wait` are of seconds."""
        self._answered, self._clock, self._wait = answered, clock, wait
        self._turn = Lock()
        self._looked, self._known = clock(), answered()
        self._many = False
        self._cost = 0.0
        self._next = 0.0

    @contextmanager
    def given(self) -> Iterator[None]:
        """Wait until something that can wait may be computed: the block."""
        with self._turn:
            self._give_way()
        began = thread_time()
        try:
            yield
        finally:
            self._cost += (min(thread_time() - began, DEAREST) - self._cost) / 4

    def _give_way(self) -> None:
        now = self._clock()
        if now - self._looked >= LOOK:
            known = self._answered()
            self._many = (known - self._known) / (now - self._looked) >= MANY
            self._looked, self._known = now, known
        if not self._many:
            return
        if self._next > now:
            self._wait(self._next - now)
            now = self._next
        self._next = now + self._cost / SHARE
