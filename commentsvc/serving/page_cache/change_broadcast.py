"""Sends the change signal to other machines over Redis; without Redis they ask the database once a second."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from commentsvc import extras
from commentsvc.errors import SettingsError
from commentsvc.serving.page_cache.change_signal import CELLS, EVERYTHING, ChangeSignal, cell_of

log = logging.getLogger(__name__)

CHANNEL = "commentsvc.changes"
PATIENCE = 0.5
"""Timeout for Redis after a commit, in seconds; the writer waits for it."""
REST = 10.0
"""Seconds without messages to Redis after an error."""
AGAIN = 1.0
"""Seconds between attempts to reconnect."""


class ChangeBroadcast:
    """Announces changes to this and all other machines. Raises SettingsError if the Redis driver is missing."""

    def __init__(self, redis_url: str, signal: ChangeSignal) -> None:
        self._signal = signal
        self._rests_until = 0.0
        self._listener: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = threading.Event()
        self._speaking = _client(redis_url, timeout=PATIENCE) if redis_url else None
        self._hearing = _client(redis_url, timeout=None) if redis_url else None

    def publish(self, thread: tuple[int, str] | None = None) -> None:
        """Announce a change of one thread, given by its site's id and its key; None: anything may have changed."""
        self._signal.send(thread)
        if self._speaking is None or time.monotonic() < self._rests_until:
            return
        try:
            self._speaking.publish(CHANNEL, EVERYTHING if thread is None else cell_of(*thread))
        except Exception as error:
            self._rests_until = time.monotonic() + REST
            log.warning("Redis does not answer; other machines see changes within a second: %s", error)

    def listen(self) -> None:
        """Start to pass on the changes that other machines announce."""
        with self._starting:
            if self._hearing is None or self._listener is not None:
                return
            self._listener = threading.Thread(
                target=self._hear, args=(self._hearing,), daemon=True, name="broadcast"
            )
            self._listener.start()

    def close(self) -> None:
        """Stop listening and close the connections."""
        self._closed.set()
        if self._listener is not None:
            self._listener.join()
        for client in (self._speaking, self._hearing):
            if client is not None:
                client.close()

    def _hear(self, redis: Any) -> None:
        while not self._closed.is_set():
            try:
                with redis.pubsub(ignore_subscribe_messages=True) as subscription:
                    subscription.subscribe(CHANNEL)
                    self._signal.send()  # earlier messages are lost, so anything may have changed
                    while not self._closed.is_set():
                        self._take(subscription.get_message(timeout=AGAIN))
            except Exception as error:
                log.warning("lost Redis; changes on other machines show within a second: %s", error)
                self._closed.wait(AGAIN)

    def _take(self, message: dict[str, Any] | None) -> None:
        text = message["data"] if message else b""
        if text.isdigit() and int(text) < CELLS:
            self._signal.send_cell(int(text))


def connection_error(redis_url: str) -> str | None:
    """Return the driver's error message if this Redis does not accept messages, else None. Raises SettingsError."""
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
            [f"COMMENTSVC_REDIS_URL needs its driver: {extras.install_command('redis')}"]
        ) from error
    return redis.Redis.from_url(
        url, socket_timeout=timeout, socket_connect_timeout=PATIENCE, health_check_interval=15
    )
