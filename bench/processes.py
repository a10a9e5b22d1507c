"""Starts and stops the programs of the benchmark and measures their memory; nothing else here starts programs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import asking

PATIENCE = 60.0
"""Seconds in which a program must respond or stop."""


class NotRunningError(Exception):
    """A program did not start, or stopped."""


@dataclass(frozen=True)
class Memory:
    """Memory of a program with all its processes, in MB of a million bytes."""

    rss: float
    """The sum over processes, in which shared memory counts several times."""
    pss: float
    """Shared memory counts once."""


def free_port() -> int:
    """Return a free local port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(
    command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> str:
    """Run a program to its end; return its output. Raises NotRunningError with the end of the output."""
    done = subprocess.run(  # noqa: S603 - our own words
        [str(word) for word in command],
        env={**os.environ, **(env or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotRunningError(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def begin(command: Sequence[str | Path]) -> subprocess.Popen[str]:
    """Start a program whose output `communicate` reads at its end."""
    words = [str(word) for word in command]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603


class Server:
    """A program with its processes, from `start` to `stop`."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self._command = [str(word) for word in command]
        self._log = log
        self._env = {**os.environ, **(env or {})}
        # An operator's installation has compiled modules, so ours must too.
        self._env.pop("PYTHONDONTWRITEBYTECODE", None)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, probe: str) -> float:
        """Start it; return the seconds until the address `probe` answers 200. Raises NotRunningError."""
        began = time.monotonic()
        with self._log.open("ab") as log:
            # Its own process group, to stop and measure it as one, but not a session: Linux gives each session the same
            # share of CPU time (sched(7), autogroup), so that wrk would get as much as the server.
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                self._command, env=self._env, stdout=log, stderr=log, process_group=0
            )
        while time.monotonic() - began < PATIENCE and self._process.poll() is None:
            try:
                if asking.get(probe).status == 200:
                    return time.monotonic() - began
            except OSError:
                time.sleep(0.005)
        self.stop()
        raise NotRunningError(f"{' '.join(self._command)}: see {self._log}\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Stop it and all its child processes."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def memory(self) -> Memory:
        """Return the current memory of all its processes."""
        if self._process is None:
            raise NotRunningError(self._command[0])
        totals = {"Rss:": 0, "Pss:": 0}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                group = (folder / "stat").read_text().rpartition(") ")[2].split()[2]
                if int(group) != self._process.pid:
                    continue
                for line in (folder / "smaps_rollup").read_text().splitlines():
                    name, *rest = line.split()
                    if name in totals:
                        totals[name] += int(rest[0]) * 1024
            except (FileNotFoundError, ProcessLookupError):
                continue
        return Memory(totals["Rss:"] / 1e6, totals["Pss:"] / 1e6)
