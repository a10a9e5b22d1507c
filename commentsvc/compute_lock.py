"""The floor: of what a process has to compute for its readers and writers, one thing is done at a time.

Python runs one thread at any moment anyway. Several that all want to run take it from each other at every turn, and
what each works on from the processor's caches and SQLite's: together they take a sixth longer than one after the other.
Whoever waits for something else leaves the floor meanwhile. It is the process's, so there is only one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class _ComputeLock:
    """A lock that is handed on: by turns to those in line and to the others, of each to who has waited longest."""

    def __init__(self) -> None:
        self._state = threading.Lock()
        self._had, self._had_in_line = False, False
        self._line: deque[threading.Lock] = deque()
        self._others: deque[threading.Lock] = deque()

    def take(self, *, in_line: bool) -> None:
        with self._state:
            if not self._had:
                self._had, self._had_in_line = True, in_line
                return
            called = threading.Lock()
            called.acquire()
            (self._line if in_line else self._others).append(called)
        called.acquire()

    def hand_on(self) -> None:
        with self._state:
            line_is_next = bool(self._line) and not (self._had_in_line and self._others)
            waiting = self._line if line_is_next else self._others
            self._had, self._had_in_line = bool(waiting), line_is_next
            if waiting:
                waiting.popleft().release()

    def waiting(self) -> int:
        return len(self._line) + len(self._others)


_floor = _ComputeLock()
_mine = threading.local()


@contextmanager
def held(*, in_line: bool = False) -> Iterator[None]:
    """Wait for the floor, and have it for as long as the block lasts; who has it must not ask for it again.

    Writers wait `in_line`, so that a reader waits for one of them at most, however many there are.
    """
    _floor.take(in_line=in_line)
    _mine.taken = True
    try:
        yield
    finally:
        _mine.taken = False
        _floor.hand_on()


def waiting() -> int:
    """Return how many wait for the floor."""
    return _floor.waiting()


@contextmanager
def left() -> Iterator[None]:
    """Let others go on while this thread waits, and wait for the floor again; nothing for a thread without it."""
    if not getattr(_mine, "taken", False):
        yield
        return
    _mine.taken = False
    _floor.hand_on()
    try:
        yield
    finally:
        _floor.take(in_line=False)
        _mine.taken = True
