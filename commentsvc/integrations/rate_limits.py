"""How often somebody may do something. Only this file and memory_window.py import `limits`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItem, parse_many
from limits.errors import ConfigurationError
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from commentsvc.errors import SettingsError, TooManyError
from commentsvc.integrations import signing
from commentsvc.integrations.memory_window import MemoryWindow

log = logging.getLogger(__name__)

PATIENCE = 0.5
"""Seconds that a post waits for Redis."""
REST = 10.0
"""Seconds for which Redis is left alone after a fault, and nothing is counted."""


class Counters:
    """Where limits count: this process's memory, or a Redis that all processes share.

    Whom they count is kept as a keyed hash, for hours at most: a new secret key begins the counts anew. Raises
    SettingsError for a Redis without the package that speaks with it.
    """

    def __init__(self, redis_url: str = "", *, secret: str = "") -> None:
        self._secret = secret
        self._rests_until = 0.0
        self._strategy = MovingWindowRateLimiter(_storage(redis_url))

    def limiter(self, name: str, rule: str) -> Limiter:
        """Return a limit that counts here, apart from those of other names; `rule` is N/period;N/period."""
        return Limiter(rule, name=name, counters=self)

    def hit(self, limit: Limiter, who: str) -> int:
        """Count one act where there is room for it and return 0, or the seconds to wait."""
        return self._asked(limit, who, lambda item, key: self._strategy.hit(item, limit.name, key))

    def wait(self, limit: Limiter, who: str) -> int:
        """Return 0 where there is room for one more act, or the seconds to wait; nothing is counted."""
        return self._asked(limit, who, lambda item, key: self._strategy.test(item, limit.name, key))

    def _asked(self, limit: Limiter, who: str, allows: Callable[[RateLimitItem, str], bool]) -> int:
        """Ask about each period, the shortest first, up to one that refuses; so a refusal uses up no longer one.

        A fault lets through and is logged once.
        """
        if time.monotonic() < self._rests_until:
            return 0
        key = signing.keyed_hash(self._secret, f"limit {limit.name}", who)
        try:
            if all(allows(item, key) for item in limit.items):
                return 0
            windows = [self._strategy.get_window_stats(item, limit.name, key) for item in limit.items]
        except Exception as error:
            self._rests_until = time.monotonic() + REST
            log.warning("counting failed, nothing is limited for %d seconds: %s", REST, error)
            return 0
        ends = [window.reset_time for window in windows if window.remaining < 1]
        return max([1, *(round(end - time.time()) for end in ends)])


class Limiter:
    """One limit: how often each of those it tells apart may do a thing."""

    def __init__(self, rule: str, *, name: str = "", counters: Counters | None = None) -> None:
        self.name = name
        self.items = sorted(parse_many(rule), key=RateLimitItem.get_expiry)
        self._counters = counters or Counters()

    def hit(self, who: str) -> None:
        """Count one act of `who`; raises TooManyError where that is one too many."""
        if wait := self._counters.hit(self, who):
            raise TooManyError(wait)

    def require_room(self, who: str) -> None:
        """Raise TooManyError where one more act of `who` would be one too many; nothing is counted."""
        if wait := self._counters.wait(self, who):
            raise TooManyError(wait)

    def count(self, who: str) -> None:
        """Count one act of `who` that has happened."""
        self._counters.hit(self, who)


@dataclass(frozen=True)
class PostLimits:
    """The limits that a new comment meets. Attempts count for their sender, and comments for their thread."""

    network: Limiter
    person: Limiter
    thread: Limiter

    def count_attempt(self, *, network: str, person: str | None) -> None:
        """Count an attempt to comment, whatever becomes of it; raises TooManyError.

        `person` is None for somebody whom nothing tells apart from others of their network. What a person does
        beyond their own limit is not counted for the network, or they could keep all others of it out. The network
        is looked at first, since it costs nothing to be a new person each time.
        """
        self.network.require_room(network)
        if person is not None:
            self.person.hit(person)
        self.network.hit(network)


def _storage(redis_url: str) -> MemoryWindow | RedisStorage:
    if not redis_url:
        return MemoryWindow()
    # The library knows a socket by a scheme of its own.
    url = "redis+" + redis_url if redis_url.startswith("unix://") else redis_url
    try:
        return RedisStorage(
            url, key_prefix="commentsvc", socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        )
    except ConfigurationError as error:
        raise SettingsError(
            ["COMMENTSVC_REDIS_URL needs its driver: pip install 'commentsvc[redis]'"]
        ) from error
