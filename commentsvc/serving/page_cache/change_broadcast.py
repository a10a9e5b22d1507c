"""Carries the signal to other machines over Redis; without one they ask the database once a second."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from commentsvc.errors import SettingsError
from commentsvc.serving.page_cache.change_signal import CELLS, EVERYTHING, ChangeSignal, cell_of

log = logging.getLogger(__name__)

CHANNEL = "commentsvc.changes"
PATIENCE = 0.5
"""Seconds that a commit's answer waits for Redis."""
REST = 10.0
"""Seconds for which Redis is told nothing after a fault."""
AGAIN = 1.0
"""Seconds until a lost connection is tried again."""


class ChangeBroadcast:
    """Rings here and on all machines. Raises SettingsError for a Redis without the package that speaks with it."""

    def __init__(self, redis_url: str, signal: ChangeSignal) -> None:
        self._signal = signal
        self._rests_until = 0.0
        self._listener: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = threading.Event()
        self._speaking = _client(redis_url, timeout=PATIENCE) if redis_url else None
        self._hearing = _client(redis_url, timeout=None) if redis_url else None

    def publish(self, thread: tuple[int, str] | None = None) -> None:
        """Say that a thread, given as its site's id and its key, changed; or, for None, that anything may have."""
        self._signal.send(thread)
        if self._speaking is None or time.monotonic() < self._rests_until:
            return
        try:
            self._speaking.publish(CHANNEL, EVERYTHING if thread is None else cell_of(*thread))
        except Exception as error:
            self._rests_until = time.monotonic() + REST
            log.warning("Redis does not answer; other machines see changes after a second: %s", error)

    def listen(self) -> None:
        """Ring here, from now on, what other machines tell."""
        with self._starting:
            if self._hearing is None or self._listener is not None:
                return
            self._listener = threading.Thread(
                target=self._hear, args=(self._hearing,), daemon=True, name="broadcast"
            )
            self._listener.start()

    def close(self) -> None:
        """End the connections."""
        self._closed.set()
        if self._listener is not None:
            self._listener.join()
        for client in (self._speaking, self._hearing):
            if client is not None:
                client.close()

    def _hear(self, redis: Any) -> None:
        while not self._closed.is_set():
            try:
                with redis.pubsub(ignore_subscribe_messages=True) as line:
                    line.subscribe(CHANNEL)
                    self._signal.send()  # whatever was told before is lost
                    while not self._closed.is_set():
                        self._take(line.get_message(timeout=AGAIN))
            except Exception as error:
                log.warning("Redis cannot be heard; other machines' changes show after a second: %s", error)
                self._closed.wait(AGAIN)

    def _take(self, message: dict[str, Any] | None) -> None:
        text = message["data"] if message else b""
        if text.isdigit() and int(text) < CELLS:
            self._signal.send_cell(int(text))


def connection_error(redis_url: str) -> str | None:
    """Return in the driver's words why this Redis takes no news; None where it does. Raises SettingsError."""
    client = _client(redis_url, timeout=PATIENCE)
    try:
        client.publish(CHANNEL, b"")
    except Exception as error:
        return str(error)
    finally:
        client.close()
    return None


def _client(url: str, *, timeout: float | None) -> Any:
    try:
        import redis
    except ImportError as error:
        raise SettingsError(
            ["COMMENTSVC_REDIS_URL needs its driver: pip install 'commentsvc[redis]'"]
        ) from error
    return redis.Redis.from_url(
        url, socket_timeout=timeout, socket_connect_timeout=PATIENCE, health_check_interval=15
    )
