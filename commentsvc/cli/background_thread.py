"""A part of the background work that runs in a thread of its own, because mail must not wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable


class BackgroundThread:
    """Runs a step whenever it is begun, at most once at a time."""

    def __init__(self, name: str, step: Callable[[], object], *, daemon: bool = False) -> None:
        """`step` must not raise. The process waits for it before it ends, unless `daemon` is set."""
        self._name, self._step, self._daemon = name, step, daemon
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether the step has begun and not ended."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self) -> None:
        """Begin the step, unless it still runs."""
        if not self.is_running:
            self._thread = threading.Thread(target=self._step, name=self._name, daemon=self._daemon)
            self._thread.start()

    def join(self) -> None:
        """Wait until the step has ended."""
        if self._thread is not None:
            self._thread.join()
