"""Measure commentsvc, nginx with the same bytes, and Isso, on this machine in one run; print one table.

python -m bench            all of it, within ten minutes
python -m bench --quick    the same with less of everything, within two
python -m bench --write    and keep the table in docs/performance.md
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError

from bench import footprint, measuring, paint, processes, reads, report, tools, writes
from bench.asking import WrongAnswerError
from bench.load import LoadError
from bench.measuring import HUNDRED, QUICK, Bench, Size
from bench.peers.isso import Isso
from bench.peers.nginx import Nginx
from bench.peers.ours import Ours
from bench.report import Row

DOCUMENT = Path(__file__).parent.parent / "docs/performance.md"
WORKS: tuple[Callable[[Bench], list[Row]], ...] = (
    reads.hundred,
    reads.long,
    reads.small,
    reads.not_modified,
    reads.live,
    reads.counts,
    writes.posts,
    writes.reads_while_writing,
    footprint.memory,
    reads.cold,
    footprint.start,
    footprint.painted,
)
_FAULTS = (WrongAnswerError, LoadError, processes.NotRunningError, OSError, PlaywrightError)


def say(line: str) -> None:
    """Report progress on standard error, apart from the table."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextmanager
def ready(size: Size, blog: paint.Blog, folder: Path) -> Iterator[Bench]:
    """Start all services with the same comments; stop them at the end."""
    bench = Bench(
        size=size,
        wrk=tools.wrk(),
        folder=folder,
        ours=Ours(folder / "ours", blog.origin),
        nginx=Nginx(folder / "nginx"),
        isso=Isso(folder / "isso", blog.origin),
        blog=blog,
    )
    try:
        _fill(bench)
        bench.starts.append(bench.ours.start(HUNDRED))
        _hand_over(bench)
        bench.proxied = {
            "ours": bench.nginx.proxy(bench.ours.port),
            "isso": bench.nginx.proxy(bench.isso.port),
        }
        bench.nginx.start()
        yield bench
    finally:
        bench.ours.stop()
        bench.nginx.stop()


def _fill(bench: Bench) -> None:
    articles = bench.articles
    bench.ours.seed(one for some in articles.values() for one in some)
    for name in ("hundred", "long", "small", "posts"):
        bench.isso.seed(name, articles[name])
    bench.isso.seed("busy", articles["busy"] + articles["posts"])


def _hand_over(bench: Bench) -> None:
    """Check each of our threads once, and give nginx the responses."""
    articles = bench.articles
    for name in ("hundred", "long", "small", "cold"):
        for one in articles[name]:
            if name in ("hundred", "long"):
                bench.ours.read_on(one.path)
            answer = bench.ours.check_thread(one.path, one.begins_with(measuring.ROOTS))
            if name != "cold":
                bench.nginx.keep(one.path, answer)


def measured(bench: Bench, wanted: str) -> tuple[list[Row], list[str]]:
    """Return the lines of the table, and the failures."""
    results: list[Row] = []
    faults: list[str] = []
    for work in WORKS:
        if wanted and work.__name__ not in wanted.split(","):
            continue
        began = time.monotonic()
        try:
            results += work(bench)
        except _FAULTS as error:
            faults.append(f"{work.__name__}: {error}")
        say(f"  {work.__name__.replace('_', ' ')}: {time.monotonic() - began:.0f} s")
    return results, faults


def main() -> int:
    """Run all measurements; return 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less of everything, to check that it works")
    parser.add_argument("--write", action="store_true", help=f"write the table to {DOCUMENT.name}")
    parser.add_argument("--only", default="", metavar="WORK,…", help=", ".join(one.__name__ for one in WORKS))
    asked = parser.parse_args()
    if asked.write and (asked.quick or asked.only):
        parser.error("only a whole run is kept")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # or child processes would keep running
    began = time.monotonic()
    tools.WORK.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=tools.WORK))
    try:
        with paint.blog() as blog, ready(QUICK if asked.quick else Size(), blog, folder) as bench:
            say(f"Ready after {time.monotonic() - began:.0f} s")
            found, faults = measured(bench, asked.only)
            versions = f"nginx {bench.nginx.version}, Isso {tools.isso_version()}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    made = f"`make bench` on {report.machine()}; {versions}; {datetime.now(UTC):%d %B %Y}.\n\n{report.table(found)}"
    sys.stdout.write(f"\n{made}\n\n{time.monotonic() - began:.0f} seconds in all.\n")
    for fault in faults:
        say(f"Not measured: {fault}")
    if asked.write and not faults:
        DOCUMENT.write_text(report.into(DOCUMENT.read_text(), made))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
