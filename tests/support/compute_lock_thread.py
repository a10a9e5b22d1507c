"""Another thread that wants the floor (commentsvc/compute_lock.py)."""

from __future__ import annotations

import threading

from commentsvc import compute_lock

SOON, LATE = 0.1, 10.0


class Other(threading.Thread):
    """A thread that wants the floor, for a moment."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.had = threading.Event()
        self.start()

    def run(self) -> None:
        with compute_lock.held():
            self.had.set()


def is_free() -> bool:
    """Whether another thread gets the floor now."""
    return Other().had.wait(5 * SOON)
