"""How often somebody may do something; the only importer of `limits`."""

from __future__ import annotations

import logging
import time

from limits import parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from commentsvc.errors import TooManyError

log = logging.getLogger(__name__)


class Limiter:
    """Counts in this process's memory; a fault in counting lets people through and is logged."""

    def __init__(self, rule: str) -> None:
        self._items = parse_many(rule)
        self._strategy = MovingWindowRateLimiter(MemoryStorage())

    def hit(self, who: str) -> None:
        """Count one act of `who`; raises TooManyError where that is one too many."""
        try:
            refused = [item for item in self._items if not self._strategy.hit(item, who)]
            waits = [self._strategy.get_window_stats(item, who).reset_time - time.time() for item in refused]
        except Exception:
            log.exception("counting failed; let through")
            return
        if waits:
            raise TooManyError(max(1, round(max(waits))))
