"""The program that watches over the workers; it loads nothing of the service, nor much else.

The process that loads the service forks the workers, which share with it what is loaded, and then becomes this program.
Had it stayed as it was, it would keep a copy of all that they have overwritten since. `server.serve` begins it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGALRM)
"""What it waits for; blocked before the first worker is forked, so that none is lost until then."""
TOO_SOON = 10.0
"""Seconds after a worker was replaced within which its place must not be empty again."""


class Supervisor:
    """Workers, and what becomes of them."""

    def __init__(self, workers: dict[int, int], another: list[str], patience: int) -> None:
        """`workers` are numbers by process; for the rest see `main`."""
        self._workers = workers
        self._another = another
        self._patience = patience
        self._replaced: dict[int, float] = {}
        self._stopping = False
        self._exit_code = 0

    def run(self) -> int:
        """Return the exit code once no worker is left: 0 when told to stop, 1 when a worker cannot be replaced."""
        self._take_leave()
        while self._workers:
            what = signal.sigwait(SIGNALS)
            if what == signal.SIGALRM:
                self._send(signal.SIGKILL)
            elif what != signal.SIGCHLD:
                self._stop()
            self._take_leave()
        return self._exit_code

    def _take_leave(self) -> None:
        """Of the workers that have ended; others take their places."""
        while self._workers:
            process, _ = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            number = self._workers.pop(process, None)  # as process 1 one is left the children of others, too
            if number is not None and not self._stopping:
                say("ERROR", f"Unexpected exit from worker-{number}")
                self._replace(number)

    def _replace(self, number: int) -> None:
        if time.monotonic() - self._replaced.get(number, -TOO_SOON) < TOO_SOON:
            self._give_up(f"worker-{number} ends again and again")
            return
        self._replaced[number] = time.monotonic()
        try:
            process = os.posix_spawn(self._another[0], [*self._another, str(number)], os.environ)
        except OSError as error:
            self._give_up(f"{self._another[0]}: {error.strerror}")
            return
        self._workers[process] = number
        say("INFO", f"Respawning worker-{number} with PID: {process}")

    def _give_up(self, why: str) -> None:
        say("ERROR", f"{why}: stopping")
        self._exit_code = 1
        self._stop()

    def _stop(self) -> None:
        """Have the workers finish what they are at, and kill whoever takes too long."""
        if not self._stopping:
            self._stopping = True
            signal.alarm(self._patience)
            self._send(signal.SIGTERM)

    def _send(self, what: signal.Signals) -> None:
        for process in self._workers:
            os.kill(process, what)


def say(level: str, what: str) -> None:
    """Write a line like the server's, where it can be written: no full disk is to leave workers alone."""
    now = time.time()
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    with suppress(OSError):
        os.write(2, f"{at},{int(now % 1 * 1000):03} {level} server: {what}\n".encode())


def main(patience: str, *words: str) -> int:
    """Supervise.

    `patience` is how many seconds a request under way has to finish at the end. Then come the workers' processes in the
    order of their numbers, and after "--" the command that starts another one, but for its last word, the number.
    """
    signal.signal(signal.SIGCHLD, lambda *_: None)  # else some systems drop it, although it is blocked
    end = words.index("--")
    workers = {int(process): number for number, process in enumerate(words[:end], 1)}
    return Supervisor(workers, list(words[end + 1 :]), int(patience)).run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
