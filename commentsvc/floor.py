"""The floor: of what a process has to compute for its readers and writers, one thing is done at a time.

Python runs one thread at any moment anyway. Several that all want to run take it from each other at every turn, and
what each works on from the processor's caches and SQLite's: together they take a sixth longer than one after the other.
Whoever waits for something else leaves the floor meanwhile. It is the process's, so there is only one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_floor = threading.Lock()
_mine = threading.local()


@contextmanager
def taken() -> Iterator[None]:
    """Wait for the floor, and have it for as long as the block lasts; who has it must not ask for it again."""
    with _floor:
        _mine.taken = True
        try:
            yield
        finally:
            _mine.taken = False


@contextmanager
def left() -> Iterator[None]:
    """Let others go on while this thread waits, and wait for the floor again; nothing for a thread without it."""
    if not getattr(_mine, "taken", False):
        yield
        return
    _mine.taken = False
    _floor.release()
    try:
        yield
    finally:
        _floor.acquire()
        _mine.taken = True
