"""How it is measured: everybody with the same comments, asked in turn; of several runs the one in the middle."""

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
"""Conversations on a page of ours."""
POSTED = 100
"""Articles that posts are spread over."""
UNHURRIED = 5
"""Seconds for somebody who answers a few requests in one."""
LEFT_OVER = 1.5
"""Seconds in which that one answers those who have gone."""
SMALL = 5
"""Comments in a small thread."""
HEADERS_MOST = 1500
"""Bytes of an answer without a body."""

Measure = Callable[[float], Load]
"""Puts on one load for so many seconds; WARM is as short as can be."""
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
    """Everybody, ready to be asked."""

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
    """Seconds from each start of ours to its first thread."""

    @cached_property
    def articles(self) -> dict[str, list[Article]]:
        """All articles by the work they are for."""
        return {
            "hundred": [article(HUNDRED, 100)],
            "busy": [article(BUSY, 100)],
            "long": [article(LONG, self.size.long)],
            "small": [article(f"/small/{at}/", SMALL) for at in range(self.size.small)],
            "posts": [article(f"/posts/{at}/", 1) for at in range(POSTED)],
            "cold": [article(f"/cold/{at}/", 100) for at in range(self.size.cold)],
        }

    def shape(self, seconds: float, connections: int = 32) -> Shape:
        """Return a load with so many connections, from two threads of wrk where they are that many."""
        return Shape(seconds, connections, min(2, connections))

    def in_turn(self, **measures: Measure) -> dict[str, Load]:
        """Warm each up, then measure them in turn, several times; return the run in the middle of each."""
        for measure in measures.values():
            measure(WARM)
        runs: dict[str, list[Load]] = {name: [] for name in measures}
        for _ in range(self.size.repeats):
            for name, measure in measures.items():
                runs[name].append(measure(self.size.seconds))
        return {name: middle(found) for name, found in runs.items()}

    def asked(self, url: str, headers: dict[str, str] | None = None, body: int | None = None) -> Measure:
        """Ask for one address; raises LoadError where the answers have not the size of the right one."""

        def measure(seconds: float) -> Load:
            found = self.wrk.run(url, self.shape(seconds), headers=headers)
            least, most = (body or 0), (body + HEADERS_MOST * 2 if body is not None else HEADERS_MOST)
            if found.requests > 100 and not least <= found.size <= most:
                raise LoadError(f"{url}: {found.size:.0f} bytes for each answer, not {least} to {most}")
            return found

        return measure

    def file(self, name: str, lines: Iterator[str] | list[str]) -> Path:
        """Write what a script of wrk reads."""
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path


def unhurried(measure: Measure) -> Measure:
    """Return a measurement of somebody slow, which takes long enough for more than a handful of answers.

    And waits for what was asked last: it is worked on though nobody listens, and the next has the machine alone.
    """

    def waited(seconds: float) -> Load:
        found = measure(2 if seconds == WARM else max(UNHURRIED, seconds))
        time.sleep(LEFT_OVER)
        return found

    return waited


def middle(runs: list[Load]) -> Load:
    """Return the run of the median rate, with the median of the slowest hundredths."""
    result = sorted(runs, key=lambda run: run.rate)[len(runs) // 2]
    return replace(result, p99=median(run.p99 for run in runs))


def rates(work: str, found: dict[str, Load], goal: report.Goal | None) -> Row:
    """Return a line of the table from everybody's answers a second."""
    by = {name: load.rate for name, load in found.items()}
    note = "" if by.get("isso", 1) else "nothing in time"
    return Row(work, "requests/s", by["ours"], by.get("nginx"), by.get("isso") or None, goal, note)
