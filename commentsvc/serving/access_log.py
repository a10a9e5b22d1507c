"""A line for each request: without an address of a reader, a query, which holds the pages people read, or a secret.

Answers that come from memory are counted, and told once a second: a line for each of them would take longer than they.
"""

from __future__ import annotations

import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from time import perf_counter, sleep
from typing import Any

from commentsvc.serving.wsgi_bridge import DeferredResponse

WsgiApp = Callable[..., Iterable[bytes]]

FROM_MEMORY = "commentsvc.from_memory"
"""The key under which an application says in the environ that its answer was ready."""

_SECRET_PATH = re.compile(r"(/(?:sign-in|invite)/).+", re.DOTALL)


class AccessLog:
    """A WSGI application that writes down what another one answers."""

    def __init__(self, app: WsgiApp, write: Callable[[str], object] | None = None) -> None:
        self._app = app
        self._write = write or _to_stdout
        self._ready: Counter[tuple[str, str, str]] = Counter()
        threading.Thread(target=self._tell_every_second, daemon=True, name="access log").start()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        status = "-"

        def started(said: str, *more: Any) -> Any:
            nonlocal status
            status = said[:3]
            return start(said, *more)

        began = perf_counter()
        answer = self._app(environ, started)
        if FROM_MEMORY in environ:
            self._ready[environ["REQUEST_METHOD"], environ["PATH_INFO"], status] += 1
            return answer

        def note() -> None:
            took = (perf_counter() - began) * 1000
            self._line(environ["REQUEST_METHOD"], environ["PATH_INFO"], f"{status} {took:.1f} ms")

        if isinstance(answer, DeferredResponse):
            return answer.then(note)
        note()
        return answer

    def tell(self) -> None:
        """Write down what came from memory since the last time."""
        ready, self._ready = self._ready, Counter()
        for (method, path, status), times in sorted(ready.items()):
            self._line(method, path, f"{status} from memory, {times:,} {'time' if times == 1 else 'times'}")

    def _tell_every_second(self) -> None:
        while True:
            sleep(1)
            self.tell()

    def _line(self, method: str, path: str, rest: str) -> None:
        at = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S %z}"
        self._write(f'{at} "{method} {shown_path(path)}" {rest}\n')


def shown_path(path: str) -> str:
    """Return a path as the log may show it: on one line, without the secret of a one-time link."""
    discreet = _SECRET_PATH.sub(r"\1…", path)
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in discreet)


def _to_stdout(line: str) -> None:
    """Write it where it can be written: a full disk or a closed pipe is no reason to answer nobody."""
    with suppress(OSError, ValueError):
        sys.stdout.write(line)
        sys.stdout.flush()
