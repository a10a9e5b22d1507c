"""Measures memory, the time of a start, and in a browser the requests, bytes and time until comments are painted."""

from __future__ import annotations

from statistics import median

from bench import line, paint, report
from bench.line import Line
from bench.measuring import HUNDRED, Bench
from bench.paint import Painted
from bench.processes import NotRunningError
from bench.report import Row

SLOW = Line(round_trip=0.040, rate=10e6 / 8)


def memory(bench: Bench) -> list[Row]:
    """Memory of all processes after all other measurements, with shared memory counted once, and per process."""
    now, theirs = bench.ours.memory(), bench.isso.largest
    work = "memory after the load, all processes"
    return [
        Row(
            f"{work} (PSS)",
            "MB",
            now.pss,
            isso=theirs.pss if theirs else None,
            goal=report.bound("≤", 220, "MB"),
        ),
        Row("the same, as the processes count it (RSS)", "MB", now.rss, isso=theirs.rss if theirs else None),
    ]


def start(bench: Bench) -> list[Row]:
    """Time from the command to the first thread, with an existing database and the files in the system's cache."""
    while len(bench.starts) < bench.size.starts:
        bench.ours.stop()
        bench.starts.append(bench.ours.start(HUNDRED))
    ours, isso = median(bench.starts), median(bench.isso.starts)
    return [Row("cold start to first answer", "s", ours, isso=isso, goal=report.bound("≤", 0.9, "s"))]


def painted(bench: Bench) -> list[Row]:
    """Time from the script tag to 100 painted comments, through the same nginx, which compresses plain responses."""
    with paint.chromium() as browser:
        if browser is None:
            raise NotRunningError("Chromium is missing; `python -m tests.support.chromium` brings one")

        def visits(ports: dict[str, int]) -> dict[str, Painted]:
            embedded = {
                "ours": paint.ours(f"http://127.0.0.1:{ports['ours']}"),
                "isso": paint.isso(f"http://127.0.0.1:{ports['isso']}"),
            }
            visits: dict[str, list[Painted]] = {name: [] for name in embedded}
            for turn in range(bench.size.visits + 1):  # the first warms up
                for name, how in embedded.items():
                    visit = paint.visit(browser, bench.blog, HUNDRED, how, 100)
                    visits[name] += [visit] if turn else []
            return {name: paint.middle(some) for name, some in visits.items()}

        with bench.isso.serving("hundred", HUNDRED):
            near = visits(bench.proxied)
            with (
                line.relayed(bench.proxied["ours"], SLOW) as ours,
                line.relayed(bench.proxied["isso"], SLOW) as isso,
            ):
                far = visits({"ours": ours, "isso": isso})
    return _painted_rows(near, far)


def _painted_rows(near: dict[str, Painted], far: dict[str, Painted]) -> list[Row]:
    one, other = near["ours"], near["isso"]
    before = report.at_most(1, "isso")
    slow = f"the same, {SLOW.round_trip * 1000:.0f} ms and {SLOW.rate * 8 / 1e6:.0f} Mbit/s away"
    work = "script tag → 100 comments painted"
    return [
        Row(work, "ms", one.milliseconds, isso=other.milliseconds, goal=before),
        Row(slow, "ms", far["ours"].milliseconds, isso=far["isso"].milliseconds, goal=before),
        Row("its requests", "", one.requests, isso=other.requests, goal=report.bound("≤", 5, "")),
        Row("those after it, for a form in sight", "", one.later_requests, isso=other.later_requests),
        Row(
            "its scripts and styles, brotli",
            "KB",
            one.code_kb,
            isso=other.code_kb,
            goal=report.bound("≤", 12.5, "KB"),
        ),
        Row("all of it, brotli", "KB", one.all_kb, isso=other.all_kb, goal=report.bound("≤", 45, "KB")),
    ]
