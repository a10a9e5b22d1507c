"""Measures reading: cached threads, unchanged threads, many small threads, cold threads, and counts."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bench import asking, report
from bench.load import Load
from bench.measuring import HUNDRED, LONG, ROOTS, SMALL, Bench, Measure, middle, rates, unhurried
from bench.peers import ceiling
from bench.report import Row

COUNTED = 50
"""Articles whose counts are requested at once."""
READERS, LIVE_SECONDS = 100_000, 40.0
"""Readers who look at open threads, and the mean time after which each asks again at first (static/frame/live.js)."""


def hundred(bench: Bench) -> list[Row]:
    """The same thread of 100 comments, repeatedly."""
    ours, nginx, isso = bench.ours, bench.nginx, bench.isso
    ours.read_on(HUNDRED)
    answer = ours.check_thread(HUNDRED, 100)
    query = ours.thread(HUNDRED).partition("?")[2]
    kept = ceiling.serving(bench.folder / "ceiling", ours.thread(HUNDRED), answer)
    with isso.serving("hundred", HUNDRED), kept as bare:
        theirs = isso.check_thread(HUNDRED, 100)
        turn = bench.in_turn(
            bare=bench.asked(bare, body=len(answer.body)),
            ours=bench.asked(ours.url + ours.thread(HUNDRED), body=len(answer.body)),
            nginx=bench.asked(nginx.url + nginx.thread(HUNDRED, query), body=len(answer.body)),
            isso=unhurried(bench.asked(isso.url + isso.thread(HUNDRED), body=len(theirs.body))),
        )
    goal = report.at_least(0.5, "nginx")
    sizes = [len(answer.body) / 1024, len(answer.body) / 1024, len(theirs.body) / 1024]
    return [
        rates("thread of 100 comments, warm", turn, goal),
        _ceiling(turn),
        Row("its answer's body", "KB", sizes[0], sizes[1], sizes[2]),
    ]


def long(bench: Bench) -> list[Row]:
    """The first page of a very long thread; Isso, which has no pages, sends the whole thread."""
    ours, nginx = bench.ours, bench.nginx
    shown = bench.articles["long"][0].begins_with(ROOTS)
    ours.read_on(LONG)
    answer = ours.check_thread(LONG, shown)
    query = ours.thread(LONG).partition("?")[2]
    turn = bench.in_turn(
        ours=bench.asked(ours.url + ours.thread(LONG), body=len(answer.body)),
        nginx=bench.asked(nginx.url + nginx.thread(LONG, query), body=len(answer.body)),
    )
    work = f"thread of {bench.size.long:,} comments, first page of {shown}"
    row = rates(work, turn, report.at_least(0.45, "nginx"))
    rate, note = _two_at_once(bench)
    return [replace(row, isso=rate, note=note)]


def _two_at_once(bench: Bench) -> tuple[float | None, str]:
    """Return how many whole long threads Isso sends per second, None for none, and a remark."""
    with bench.isso.serving("long", "/nothing/"), ThreadPoolExecutor(2) as both:
        url = bench.isso.url + bench.isso.thread(LONG)
        began = time.monotonic()
        try:
            answers = list(both.map(asking.get, [url, url]))
        except OSError:
            answers = []
        took = time.monotonic() - began
    if not answers or any(answer.status >= 500 for answer in answers):
        return None, f"none: given up after {took:.0f} s"
    for answer in answers:
        whole = asking.json_of(answer).get("total_replies") == bench.size.long
        answer.require(200, "Isso: a long thread", whole)
    return len(answers) / took, "(all of it)"


def small(bench: Bench) -> list[Row]:
    """Many small threads, one after the other."""
    ours, nginx, isso = bench.ours, bench.nginx, bench.isso
    paths = [one.path for one in bench.articles["small"]]
    file = {
        "ours": bench.file("small-ours", [ours.thread(path) for path in paths]),
        "isso": bench.file("small-isso", [isso.thread(path) for path in paths]),
        "nginx": bench.file(
            "small-nginx", [nginx.thread(path, ours.thread(path).partition("?")[2]) for path in paths]
        ),
    }

    def walk(name: str, url: str) -> Measure:
        return lambda seconds: bench.wrk.run(url, bench.shape(seconds), script="walk", arguments=[file[name]])

    with isso.serving("small", paths[0]):
        for path in paths[:5]:
            isso.check_thread(path, SMALL)
        _settle(walk("ours", ours.url))
        turn = bench.in_turn(
            ours=walk("ours", ours.url),
            nginx=walk("nginx", nginx.url),
            isso=unhurried(walk("isso", isso.url)),
        )
    work = f"{len(paths):,} threads of {SMALL} comments in turn"
    return [rates(work, turn, report.at_least(0.4, "nginx"))]


def _settle(measure: Measure) -> None:
    """Repeat until the rate no longer grows, that is, until both processes have cached every page."""
    before, now = 0.0, measure(2).rate
    for _ in range(20):
        if now < before * 1.1:
            return
        before, now = now, measure(2).rate


def not_modified(bench: Bench) -> list[Row]:
    """A thread that the browser has cached."""
    ours, nginx = bench.ours, bench.nginx
    query = ours.thread(HUNDRED).partition("?")[2]
    known = ours.not_modified(HUNDRED)
    answer = asking.get(ours.url + ours.thread(HUNDRED))
    with ceiling.serving(bench.folder / "ceiling", ours.thread(HUNDRED), answer) as bare:
        turn = bench.in_turn(
            bare=bench.asked(bare, known),
            ours=bench.asked(ours.url + ours.thread(HUNDRED), known),
            nginx=bench.asked(nginx.url + nginx.thread(HUNDRED, query), nginx.not_modified(HUNDRED, query)),
        )
    row = rates("thread of 100 comments, 304", turn, report.at_least(0.5, "nginx"))
    return [replace(row, note="none: it has no ETag"), _ceiling(turn)]


def _ceiling(loads: dict[str, Load]) -> Row:
    """Return what is left to reach behind the same server."""
    work = "the same, by our server with nothing but these bytes"
    return rates(work, {"ours": loads["bare"], "nginx": loads["nginx"]}, None)


def live(bench: Bench) -> list[Row]:
    """What open readers cost: each asks every `LIVE_SECONDS` whether a thread has changed, and mostly it has not."""
    ours = bench.ours
    path = f"{ours.thread(HUNDRED)}&live=1"
    known = {"If-None-Match": asking.get(ours.url + path).headers.get("etag", "")}
    asking.get(ours.url + path, **known).require(304, "the changes of a thread, known already")
    turn = bench.in_turn(ours=bench.asked(ours.url + path, known))
    share = 100 * READERS / LIVE_SECONDS / turn["ours"].rate
    return [
        rates("changes of an open thread, 304", turn, None),
        Row(
            f"the share of it that {READERS:,} open readers take", "%", share, goal=report.bound("≤", 25, "%")
        ),
    ]


def counts(bench: Bench) -> list[Row]:
    """The counts of 50 articles."""
    ours, isso = bench.ours, bench.isso
    paths = [one.path for one in bench.articles["small"][:COUNTED]]
    ours.check_counts(paths, SMALL)
    address, body = isso.counts(paths)
    posts = bench.file("counts-isso", [f"{address}\t{body}"])
    with isso.serving("small", paths[0]):
        isso.check_counts(paths, SMALL)
        turn = bench.in_turn(
            ours=bench.asked(ours.url + ours.counts(paths), body=0),
            isso=unhurried(
                lambda seconds: bench.wrk.run(
                    isso.url,
                    bench.shape(seconds),
                    headers=isso.post_headers,
                    script="post",
                    arguments=[posts, "-"],
                )
            ),
        )
    return [rates(f"counts of {COUNTED} articles", turn, report.at_least(80, "isso"))]


def cold(bench: Bench) -> list[Row]:
    """Threads of 100 comments, each requested for the first time since the start. Isso has no cache anyway."""
    ours, isso = bench.ours, bench.isso
    paths = [one.path for one in bench.articles["cold"]]
    once = bench.file("cold-ours", [ours.thread(path) for path in paths])
    others = bench.file("cold-warm", [ours.thread(one.path) for one in bench.articles["small"]])
    results: dict[str, list[Load]] = {"ours": [], "isso": []}
    with isso.serving("hundred", HUNDRED):
        whole = len(isso.check_thread(HUNDRED, 100).body)
        asked = unhurried(bench.asked(isso.url + isso.thread(HUNDRED), body=whole))
        for _ in range(bench.size.repeats):
            ours.stop()
            bench.starts.append(ours.start(HUNDRED))
            bench.wrk.run(ours.url, bench.shape(1), script="walk", arguments=[others])
            load = bench.wrk.run(
                ours.url, bench.shape(bench.size.seconds + 2), script="once", arguments=[once, 2]
            )
            results["ours"].append(load)
            results["isso"].append(asked(bench.size.seconds))
    work = f"{len(paths):,} threads of 100 comments, every one cold"
    middles = {name: middle(runs) for name, runs in results.items()}
    return [rates(work, middles, report.at_least(13, "isso"))]
