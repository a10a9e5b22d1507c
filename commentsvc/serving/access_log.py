"""The access log: one line per request, without IP addresses, queries (they name the pages people read) or secrets.

Responses from the page cache are counted and logged once a second: writing a line for each would take longer than the
response itself.
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
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from commentsvc.logs import json_line
from commentsvc.serving.request_ids import REQUEST_ID
from commentsvc.serving.wsgi_bridge import DeferredResponse

FROM_MEMORY = "commentsvc.from_memory"
"""The environ key that the page cache sets when it answers from memory."""

PATH_LONGEST = 200
"""Characters of a path that are logged; none of ours has so many."""
_SECRET_PATH = re.compile(r"(/(?:sign-in|invite|deletion|receipt|posted|answers|mail/[a-z-]+)/).+", re.DOTALL)


class AccessLog:
    """WSGI middleware that logs the responses of another application."""

    def __init__(
        self, app: WSGIApplication, write: Callable[[str], object] | None = None, *, as_json: bool = False
    ) -> None:
        self._app = app
        self._write = write or _to_stdout
        self._as_json = as_json
        self._ready: Counter[tuple[str, str, str]] = Counter()
        threading.Thread(target=self._tell_every_second, daemon=True, name="access log").start()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Pass a request on and log it."""
        status = "-"

        def started(status_line: str, *more: Any) -> Any:
            nonlocal status
            status = status_line[:3]
            return start(status_line, *more)

        began = perf_counter()
        answer = self._app(environ, started)
        if FROM_MEMORY in environ:
            self._ready[environ["REQUEST_METHOD"], environ["PATH_INFO"], status] += 1
            return answer

        def note() -> None:
            took = (perf_counter() - began) * 1000
            self._line(
                environ["REQUEST_METHOD"], environ["PATH_INFO"], status, environ.get(REQUEST_ID, ""), took
            )

        if isinstance(answer, DeferredResponse):
            return answer.then(note)
        note()
        return answer

    def tell(self) -> None:
        """Log the responses that came from memory since the last call."""
        ready, self._ready = self._ready, Counter()
        for (method, path, status), times in sorted(ready.items()):
            self._line(method, path, status, times=times)

    def _tell_every_second(self) -> None:
        while True:
            sleep(1)
            with suppress(
                RuntimeError
            ):  # a request changed the counts meanwhile: they are lost, but the thread goes on
                self.tell()

    def _line(
        self, method: str, path: str, status: str, request: str = "", took: float = 0, times: int = 0
    ) -> None:
        """Write a line about one request, which took so many milliseconds, or `times` responses from memory."""
        at, shown = datetime.now(UTC), shown_path(path)
        if self._as_json:
            rest = {"from_memory": times} if times else {"milliseconds": round(took, 1)}
            number = int(status) if status.isdecimal() else None
            fields = {"level": "INFO", "logger": "access", "method": method, "path": shown, "status": number}
            self._write(json_line(fields | rest, at=at, request=request) + "\n")
            return
        counted = f"from memory, {times:,} {'time' if times == 1 else 'times'}" if times else f"{took:.1f} ms"
        self._write(f'{at:%Y-%m-%d %H:%M:%S %z} "{method} {shown}" {status} {counted}\n')


def shown_path(path: str) -> str:
    """Return a path in the form that is logged: cut, on one line, without the secret of a one-time link."""
    public = _SECRET_PATH.sub(r"\1…", path)
    if len(public) > PATH_LONGEST:
        public = f"{public[:PATH_LONGEST]}…"
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in public)


def _to_stdout(line: str) -> None:
    """Write a line if possible: a full disk or a closed pipe must not stop the service."""
    with suppress(OSError, ValueError):
        sys.stdout.write(line)
        sys.stdout.flush()
