"""Measures writing: posts per second, each on disk before its response, and the effect on readers."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench import material, processes, report
from bench.load import Load, LoadError, checked, parse
from bench.measuring import BUSY, POSTED, WARM, Bench, Measure, middle, rates, unhurried
from bench.report import Row


def posts(bench: Bench) -> list[Row]:
    """Posts, each on disk before its response."""
    ours, isso = bench.ours, bench.isso
    texts = material.texts()[:POSTED]
    paths = [f"/posts/{at}/" for at in range(POSTED)]
    written = {
        "ours": bench.file("posts-ours", map("\t".join, ours.posts(paths, texts))),
        "isso": bench.file("posts-isso", map("\t".join, isso.posts(paths, texts))),
    }
    time.sleep(2.5)  # a form that is sent sooner is held as a bot's
    ours.check_post(*_one(written["ours"]))
    rows = []
    for connections in (1, 16):
        runs: dict[str, list[Load]] = {"ours": [], "isso": []}
        for _ in range(bench.size.repeats):
            runs["ours"].append(
                _post(bench, written["ours"], connections, ours.url, ours.post_headers, ours.stored)
            )
            isso.renew("posts")
            with isso.serving("posts", paths[0]):
                isso.check_post(*_one(written["isso"]))
                stored = lambda: isso.stored("posts")  # noqa: E731
                runs["isso"].append(
                    _post(bench, written["isso"], connections, isso.url, isso.post_headers, stored)
                )
        results = {name: middle(some) for name, some in runs.items()}
        plural = "connection" if connections == 1 else "connections"
        work = f"post, {connections} {plural}, durable"
        rows.append(rates(work, results, report.at_least(1.2, "isso")))
    slowest = {name: load.p99 for name, load in results.items()}
    rows.append(
        Row(f"{work}: p99", "ms", slowest["ours"], isso=slowest["isso"], goal=report.bound("<", 80, "ms"))
    )
    return rows


def _one(file: Path) -> tuple[str, str]:
    path, _, body = file.read_text().splitlines()[0].partition("\t")
    return path, body.replace("NUMBER", f"first{time.monotonic_ns()}")


def _post(
    bench: Bench, file: Path, connections: int, url: str, headers: dict[str, str], stored: Callable[[], int]
) -> Load:
    """Post for a while; raises LoadError unless all confirmed comments are in the database and approved."""
    before = stored()
    run = f"run{time.monotonic_ns()}"
    shape = bench.shape(bench.size.seconds, connections)
    result = bench.wrk.run(url, shape, headers=headers, script="post", arguments=[file, run])
    new = stored() - before
    if not result.requests <= new <= result.requests + connections:
        raise LoadError(f"{url}: {result.requests} posts acknowledged, {new} stored")
    return result


def reads_while_writing(bench: Bench) -> list[Row]:
    """Reads of a thread while one or sixteen connections post to it without pause; with Isso, one to another thread."""
    ours, isso = bench.ours, bench.isso
    here = bench.file("busy-ours", map("\t".join, ours.posts([BUSY], material.texts()[:1])))
    there = bench.file("busy-isso", map("\t".join, isso.posts(["/posts/0/"], material.texts()[:1])))
    time.sleep(2.5)
    ours.check_thread(BUSY, 100)
    written: dict[str, list[float]] = {"ours": [], "isso": []}
    url = ours.url + ours.thread(BUSY)
    turn = bench.in_turn(
        alone=_reading(bench, url),
        both=_beside(bench, url, ours.url, ours.post_headers, here, written["ours"]),
        crowd=_beside(bench, url, ours.url, ours.post_headers, here, [], writers=16),
    )
    ours.check_thread(BUSY, 100)
    isso.renew("busy")
    with isso.serving("busy", BUSY):
        isso.check_thread(BUSY, 100)
        url = isso.url + isso.thread(BUSY)
        theirs = bench.in_turn(
            alone=unhurried(_reading(bench, url)),
            both=unhurried(_beside(bench, url, isso.url, isso.post_headers, there, written["isso"])),
        )
    alone = theirs["alone"].rate
    their_share = theirs["both"].rate / alone if alone else None
    posted = {name: median(some) for name, some in written.items()}
    work = "reads of 100 comments while a writer posts without pause"
    share, kept = turn["both"].rate / turn["alone"].rate, report.bound("≥", 0.5, "")
    return [
        Row(work, "requests/s", turn["both"].rate, isso=theirs["both"].rate),
        Row("the same, as a share of reads alone", "", share, isso=their_share, goal=kept),
        Row("what that writer posts meanwhile", "requests/s", posted["ours"], isso=posted["isso"]),
        Row("reads while 16 writers post: p99", "ms", turn["crowd"].p99, goal=report.bound("≤", 250, "ms")),
    ]


def _reading(bench: Bench, url: str) -> Measure:
    return lambda seconds: bench.wrk.run(url, bench.shape(seconds))


def _beside(
    bench: Bench,
    reads: str,
    writes: str,
    headers: dict[str, str],
    file: Path,
    written: list[float],
    writers: int = 1,
) -> Measure:
    """Read while another wrk posts over `writers` connections, from before the first read until after the last one.

    Posts a second are added to `written`.
    """

    def measure(seconds: float) -> Load:
        arguments: list[str | Path] = [file, f"run{time.monotonic_ns()}"]
        shape = bench.shape(seconds + 1, writers)
        writer = processes.begin(
            bench.wrk.command(writes, shape, headers=headers, script="post", arguments=arguments)
        )
        time.sleep(0.4)
        load = bench.wrk.run(reads, bench.shape(seconds))
        output = writer.communicate()[0]
        posted = checked(parse(output), output)
        if seconds != WARM:
            written.append(posted.rate)
        return load

    return measure
