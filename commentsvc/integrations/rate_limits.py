"""Rate limits. Only this file and memory_window.py import `limits`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItem, parse_many
from limits.errors import ConfigurationError
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from commentsvc import extras
from commentsvc.errors import SettingsError, TooManyError
from commentsvc.integrations import signing
from commentsvc.integrations.memory_window import MemoryWindow

log = logging.getLogger(__name__)

PATIENCE = 0.5
"""Timeout for Redis, in seconds."""
REST = 10.0
"""Seconds after an error in which Redis is not asked and nothing is limited."""


class Counters:
    """Storage of the counts: this process's memory, or a Redis that all processes share.

    Keys are stored as keyed hashes, for hours at most; a new secret key resets the counts. Raises SettingsError if the
    Redis driver is missing.
    """

    def __init__(self, redis_url: str = "", *, secret: str = "") -> None:
        self._secret = secret
        self._rests_until = 0.0
        self._strategy = MovingWindowRateLimiter(_storage(redis_url))

    def limiter(self, name: str, rule: str) -> Limiter:
        """Return a limit that counts separately from those with other names; `rule` is N/period;N/period."""
        return Limiter(rule, name=name, counters=self)

    def hit(self, limit: Limiter, who: str) -> int:
        """Count one hit and return 0 if the limit allows it, else return the seconds to wait."""
        return self._asked(limit, who, lambda item, key: self._strategy.hit(item, limit.name, key))

    def wait(self, limit: Limiter, who: str) -> int:
        """Return 0 if the limit allows one more hit, else the seconds to wait; nothing is counted."""
        return self._asked(limit, who, lambda item, key: self._strategy.test(item, limit.name, key))

    def _asked(self, limit: Limiter, who: str, allows: Callable[[RateLimitItem, str], bool]) -> int:
        """Check the periods from the shortest until one refuses, so that a refusal does not count for longer ones.

        On an error the hit is allowed, and the error is logged once.
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
            log.warning("rate limits failed, nothing is limited for %d seconds: %s", REST, error)
            return 0
        ends = [window.reset_time for window in windows if window.remaining < 1]
        return max([1, *(round(end - time.time()) for end in ends)])


class Limiter:
    """One limit, counted separately for each `who`."""

    def __init__(self, rule: str, *, name: str = "", counters: Counters | None = None) -> None:
        self.name = name
        self.items = sorted(parse_many(rule), key=RateLimitItem.get_expiry)
        self._counters = counters or Counters()

    def hit(self, who: str) -> None:
        """Count one hit of `who`; raises TooManyError if it exceeds the limit."""
        if wait := self._counters.hit(self, who):
            raise TooManyError(wait)

    def require_room(self, who: str) -> None:
        """Raise TooManyError if one more hit of `who` would exceed the limit; nothing is counted."""
        if wait := self._counters.wait(self, who):
            raise TooManyError(wait)

    def count(self, who: str) -> None:
        """Count one hit of `who` without refusing it."""
        self._counters.hit(self, who)


@dataclass(frozen=True)
class PostLimits:
    """The limits of new comments: attempts per network and per person, stored comments per thread."""

    network: Limiter
    person: Limiter
    thread: Limiter

    def count_attempt(self, *, network: str, person: str | None) -> None:
        """Count an attempt to comment, whatever its outcome; raises TooManyError.

        `person` is None if nothing distinguishes them from others in their network. Attempts over the person's own
        limit do not count for the network, or one person could lock out everybody else in it. The network is checked
        first because a client can pretend to be a new person each time.
        """
        self.network.require_room(network)
        if person is not None:
            self.person.hit(person)
        self.network.hit(network)


def _storage(redis_url: str) -> MemoryWindow | RedisStorage:
    if not redis_url:
        return MemoryWindow()
    # The library has its own URL scheme for Unix sockets.
    url = "redis+" + redis_url if redis_url.startswith("unix://") else redis_url
    try:
        return RedisStorage(
            url, key_prefix="commentsvc", socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        )
    except ConfigurationError as error:
        raise SettingsError(
            [f"COMMENTSVC_REDIS_URL needs its driver: {extras.install_command('redis')}"]
        ) from error
