"""Runs wrk and parses its results."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import asking, processes

LUA = Path(__file__).parent / "lua"
PATIENCE = "60s"
"""Timeout; wrk's default of two seconds would count slow responses as failed."""

_BYTES = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class LoadError(Exception):
    """A load measured something other than correct responses."""


@dataclass(frozen=True)
class Load:
    """The result of a run of wrk."""

    requests: int
    seconds: float
    rate: float
    """Responses per second."""
    p50: float
    """Milliseconds."""
    p99: float
    failed: int = 0
    """Responses that are neither 2xx nor 3xx."""
    unanswered: int = 0
    """Broken connections and missing responses."""
    size: float = 0.0
    """Average bytes of a response with its headers."""


@dataclass(frozen=True)
class Shape:
    """The number of connections and threads, and the duration."""

    seconds: float
    connections: int = 32
    threads: int = 2


def parse(output: str) -> Load:
    """Parse the output of wrk --latency; raises LoadError for anything else."""
    total = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m), ([\d.]+)(B|KB|MB|GB|TB) read", output)
    rate = re.search(r"^Requests/sec: +([\d.]+)$", output, re.MULTILINE)
    if not total or not rate:
        raise LoadError(f"wrk said: {output[-500:]}")
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    requests = int(total[1])
    return Load(
        requests=requests,
        seconds=float(total[2]) * _UNITS[total[3]] / 1000,
        rate=float(rate[1]),
        p50=_percentile(output, 50),
        p99=_percentile(output, 99),
        failed=int(failed[1]) if failed else 0,
        unanswered=sum(map(int, broken.groups())) if broken else 0,
        size=float(total[4]) * _BYTES[total[5]] / requests if requests else 0.0,
    )


def parse_once(output: str) -> Load:
    """Parse the output of wrk with once.lua: each address once, so only the time until the last response counts."""
    whole = parse(output)
    match = re.search(r"^Once: (\d+) in ([\d.]+)$", output, re.MULTILINE)
    if not match or not float(match[2]):
        raise LoadError(f"wrk said: {output[-500:]}")
    answered, seconds = int(match[1]), float(match[2])
    return replace(whole, requests=answered, seconds=seconds, rate=answered / seconds)


def _percentile(output: str, wanted: int) -> float:
    match = re.search(rf"^ +{wanted}% +([\d.]+)(us|ms|s|m) *$", output, re.MULTILINE)
    if not match:
        raise LoadError(f"wrk said nothing of {wanted}%: {output[-500:]}")
    return float(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True)
class Wrk:
    """The wrk program."""

    program: tuple[str, ...]
    """The beginning of its command line."""

    def command(
        self,
        url: str,
        shape: Shape,
        *,
        headers: Mapping[str, str] | None = None,
        script: str | None = None,
        arguments: Sequence[str | Path] = (),
    ) -> list[str]:
        """Return the command line of a load; `script` is one of lua/, with its arguments."""
        wanted = {"Accept-Encoding": asking.ENCODING} | dict(headers or {})
        words = [
            *self.program,
            f"-t{shape.threads}",
            f"-c{shape.connections}",
            f"-d{max(1, round(shape.seconds))}s",
        ]
        words += ["--latency", "--timeout", PATIENCE]
        for name, value in wanted.items():
            words += ["-H", f"{name}: {value}"]
        if script:
            words += ["-s", str(LUA / f"{script}.lua")]
        return [*words, url, *(["--", *map(str, arguments)] if arguments else [])]

    def run(self, *words: object, **more: object) -> Load:
        """Run a load, with the arguments of `command`; raises LoadError unless every response was successful."""
        output = processes.run(self.command(*words, **more))  # type: ignore[arg-type]
        return checked(parse_once(output) if more.get("script") == "once" else parse(output), output)


def checked(load: Load, output: str) -> Load:
    """Return the load itself; raises LoadError if responses failed."""
    if load.failed or load.unanswered:
        raise LoadError(f"{load.failed} answers failed, {load.unanswered} did not come:\n{output}")
    return load
