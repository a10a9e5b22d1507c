"""Commands run as processes of their own, and what they said."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 30.0
"""Seconds until a condition is given up; none takes a tenth of it."""


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until `condition` gives something true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


def status(port: int, path: str) -> int:
    """Return the status of GET `path`, 0 while nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


@dataclass(frozen=True)
class Process:
    """A command under way."""

    child: subprocess.Popen[bytes]
    output: Path

    def said(self) -> str:
        """Return everything it has written so far."""
        return self.output.read_text()

    def until_said(self, words: str) -> str:
        """Wait for words in its output; return the output."""
        until(lambda: words in self.said() or self.child.poll() is not None, words)
        assert words in self.said(), self.said()
        return self.said()

    def send(self, how: int) -> None:
        """Send a signal; SIGINT to its children too, as a terminal does."""
        if how == signal.SIGINT:
            os.killpg(self.child.pid, how)
        else:
            self.child.send_signal(how)

    def send_to_all(self, how: int) -> None:
        """Send a signal to it and to all its children."""
        os.killpg(self.child.pid, how)


@contextmanager
def running(
    output: Path,
    environ: Mapping[str, str],
    *arguments: str,
    program: str = sys.executable,
    folder: Path | None = None,
) -> Iterator[Process]:
    """Run a program, by default this Python, in `folder`; ended at the end, if it still runs."""
    with output.open("wb") as out:
        child = subprocess.Popen(
            [program, *arguments],
            cwd=folder,
            env={**os.environ, **environ},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Process(child, output)
    finally:
        child.terminate()
        child.wait(PATIENCE)
