"""How often somebody may do something. Only this file and moments.py import `limits`."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from limits import parse_many
from limits.errors import ConfigurationError
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from commentsvc.adapters import signing
from commentsvc.adapters.moments import Moments
from commentsvc.errors import SettingsError, TooManyError

log = logging.getLogger(__name__)

PATIENCE = 0.5
"""Seconds that a post waits for Redis."""
REST = 10.0
"""Seconds for which Redis is left alone after a fault, and nothing is counted."""


class Counters:
    """Where limits count: this process's memory, or a Redis that all processes share.

    Whom they count is kept as a keyed hash. Raises SettingsError for a Redis without the package that speaks with it.
    """

    def __init__(self, redis_url: str = "", *, secret: str = "") -> None:
        self._secret = secret
        self._rests_until = 0.0
        self._strategy = MovingWindowRateLimiter(_storage(redis_url))

    def limiter(self, name: str, rule: str) -> Limiter:
        """Return a limit that counts here, apart from those of other names; `rule` is N/period;N/period."""
        return Limiter(rule, name=name, counters=self)

    def hit(self, limit: Limiter, who: str) -> int:
        """Count one act and return 0, or the seconds to wait; a fault lets through and is logged once."""
        if time.monotonic() < self._rests_until:
            return 0
        key = signing.keyed_hash(self._secret, f"limit {limit.name}", who)
        try:
            refused = [item for item in limit.items if not self._strategy.hit(item, limit.name, key)]
            if not refused:
                return 0
            ends = [self._strategy.get_window_stats(item, limit.name, key).reset_time for item in refused]
        except Exception as error:
            self._rests_until = time.monotonic() + REST
            log.warning("counting failed, nothing is limited for %d seconds: %s", REST, error)
            return 0
        return max(max(1, round(end - time.time())) for end in ends)


class Limiter:
    """One limit: how often each of those it tells apart may do a thing."""

    def __init__(self, rule: str, *, name: str = "", counters: Counters | None = None) -> None:
        self.name = name
        self.items = parse_many(rule)
        self._counters = counters or Counters()

    def hit(self, who: str) -> None:
        """Count one act of `who`; raises TooManyError where that is one too many."""
        if wait := self._counters.hit(self, who):
            raise TooManyError(wait)


@dataclass(frozen=True)
class PostLimits:
    """The limits that a new comment meets, from the narrowest: the first to refuse ends the count."""

    network: Limiter
    person: Limiter
    thread: Limiter

    def hit(self, *, network: str, person: str | None, thread: str) -> None:
        """Count a comment; `person` is None for somebody whom nothing tells apart from others of their network.

        Raises TooManyError.
        """
        self.network.hit(network)
        if person is not None:
            self.person.hit(person)
        self.thread.hit(thread)


def _storage(redis_url: str) -> Moments | RedisStorage:
    if not redis_url:
        return Moments()
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
