"""The method: all services have the same comments and are measured alternately; the median run counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from statistics import median

from bench import report
from bench.load import Load, LoadError, Shape, Wrk
from bench.material import Article, article
from bench.paint import Blog
from bench.peers.isso import Isso
from bench.peers.nginx import Nginx
from bench.peers.ours import Ours
from bench.report import Row

HUNDRED, BUSY, LONG = "/hundred/", "/busy/", "/long/"
ROOTS = 50
"""Conversations on one of our pages."""
POSTED = 100
"""Articles that posts are spread over."""
UNHURRIED = 5
"""Seconds for a service that answers only a few requests per second."""
LEFT_OVER = 1.5
"""Seconds for that service to answer requests whose clients have gone."""
SMALL = 5
"""Comments in a small thread."""
HEADERS_MOST = 1500
"""Most bytes of a response without a body."""

Measure = Callable[[float], Load]
"""Runs one load for a number of seconds; WARM is the shortest time."""
WARM = 0


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    seconds: float = 3
    repeats: int = 3
    long: int = 10_000
    small: int = 1_000
    cold: int = 1_000
    visits: int = 7
    starts: int = 5


QUICK = Size(seconds=1, repeats=1, long=1_000, small=200, cold=100, visits=2, starts=1)


@dataclass
class Bench:
    """All services, ready to be measured."""

    size: Size
    wrk: Wrk
    folder: Path
    ours: Ours
    nginx: Nginx
    isso: Isso
    blog: Blog
    proxied: dict[str, int] = field(default_factory=dict)
    """Ports at which browsers reach `ours` and `isso`."""
    starts: list[float] = field(default_factory=list)
    """Seconds from each of our starts to the first thread."""

    @cached_property
    def articles(self) -> dict[str, list[Article]]:
        """All articles, by the measurement that uses them."""
        return {
            "hundred": [article(HUNDRED, 100)],
            "busy": [article(BUSY, 100)],
            "long": [article(LONG, self.size.long)],
            "small": [article(f"/small/{at}/", SMALL) for at in range(self.size.small)],
            "posts": [article(f"/posts/{at}/", 1) for at in range(POSTED)],
            "cold": [article(f"/cold/{at}/", 100) for at in range(self.size.cold)],
        }

    def shape(self, seconds: float, connections: int = 32) -> Shape:
        """Return a load with this many connections, from two threads of wrk if there are at least two."""
        return Shape(seconds, connections, min(2, connections))

    def in_turn(self, **measures: Measure) -> dict[str, Load]:
        """Warm each service up, then measure them alternately several times; return the median run of each."""
        for measure in measures.values():
            measure(WARM)
        runs: dict[str, list[Load]] = {name: [] for name in measures}
        for _ in range(self.size.repeats):
            for name, measure in measures.items():
                runs[name].append(measure(self.size.seconds))
        return {name: middle(loads) for name, loads in runs.items()}

    def asked(self, url: str, headers: dict[str, str] | None = None, body: int | None = None) -> Measure:
        """Measure one address; raises LoadError if the size of the responses is not that of the correct one."""

        def measure(seconds: float) -> Load:
            load = self.wrk.run(url, self.shape(seconds), headers=headers)
            least, most = (body or 0), (body + HEADERS_MOST * 2 if body is not None else HEADERS_MOST)
            if load.requests > 100 and not least <= load.size <= most:
                raise LoadError(f"{url}: {load.size:.0f} bytes for each answer, not {least} to {most}")
            return load

        return measure

    def file(self, name: str, lines: Iterator[str] | list[str]) -> Path:
        """Write the input of a wrk script."""
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path


def unhurried(measure: Measure) -> Measure:
    """Return a measurement of somebody slow, which takes long enough for more than a handful of answers.

    And waits for what was asked last: it is worked on though nobody listens, and the next has the machine alone.
    """

    def waited(seconds: float) -> Load:
        load = measure(2 if seconds == WARM else max(UNHURRIED, seconds))
        time.sleep(LEFT_OVER)
        return load

    return waited


def middle(runs: list[Load]) -> Load:
    """Return the run with the median rate, and the median of the 99th percentiles."""
    result = sorted(runs, key=lambda run: run.rate)[len(runs) // 2]
    return replace(result, p99=median(run.p99 for run in runs))


def rates(work: str, loads: dict[str, Load], goal: report.Goal | None) -> Row:
    """Return a line of the table from the responses per second of all services."""
    by = {name: load.rate for name, load in loads.items()}
    note = "" if by.get("isso", 1) else "nothing in time"
    return Row(work, "requests/s", by["ours"], by.get("nginx"), by.get("isso") or None, goal, note)
