"""The benchmark's own sums: what it reads from wrk, how it compares, and where it writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import brotli
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # bench/ is no part of what is installed

from bench import asking, load, material, measuring, report  # noqa: E402
from bench.load import Load, LoadError  # noqa: E402
from bench.peers import ceiling  # noqa: E402
from bench.report import Row  # noqa: E402

READS = """Running 4s test @ http://127.0.0.1:8600/embed?url=http%3A%2F%2Flocalhost%2Fhundred%2F
  2 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   567.91us    1.18ms  24.83ms   93.10%
    Req/Sec    41.10k     6.02k   55.05k    70.00%
  Latency Distribution
     50%  301.00us
     75%  512.00us
     90%    1.10ms
     99%    5.93ms
  327412 requests in 4.01s, 6.11GB read
Requests/sec:  81648.90
Transfer/sec:      1.52GB
"""
SLOW = """Running 4s test @ http://127.0.0.1:8601/
  2 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.15s   812.47ms   3.18s    68.63%
    Req/Sec     9.88      6.17    20.00     66.67%
  Latency Distribution
     50%    2.31s 
     75%    2.86s 
     90%    3.00s 
     99%    1.02m 
  51 requests in 4.10s, 3.07MB read
  Socket errors: connect 0, read 2, write 1, timeout 4
  Non-2xx or 3xx responses: 9
Requests/sec:     12.44
Transfer/sec:    766.83KB
"""  # noqa: W291 - as wrk prints it
ONCE = READS + "Once: 1000 in 1.600000\n"


def row(ours: float, *, nginx: float | None = None, isso: float | None = None, goal: report.Goal) -> Row:
    return Row("work", "requests/s", ours, nginx, isso, goal)


def test_a_load_is_read_from_what_wrk_prints() -> None:
    result = load.parse(READS)
    assert (result.requests, result.seconds, result.rate) == (327_412, 4.01, 81_648.9)
    assert (result.p50, result.p99) == (pytest.approx(0.301), 5.93)
    assert (result.failed, result.unanswered) == (0, 0)
    assert result.size == pytest.approx(6.11 * 2**30 / 327_412)


def test_failed_and_missing_answers_are_counted() -> None:
    result = load.parse(SLOW)
    assert (result.failed, result.unanswered) == (9, 7)
    assert (result.p50, result.p99) == (2310, 61_200)


def test_a_load_with_a_failed_answer_is_no_measurement() -> None:
    with pytest.raises(LoadError, match="9 answers failed, 7 did not come"):
        load.checked(load.parse(SLOW), SLOW)
    assert load.checked(load.parse(READS), READS).rate == 81_648.9


def test_addresses_asked_once_count_until_the_last_answer() -> None:
    once = load.parse_once(ONCE)
    assert (once.requests, once.rate, once.p99) == (1000, 625, 5.93)


@pytest.mark.parametrize("output", ["", "unable to connect to 127.0.0.1", READS.replace("99%", "98%")])
def test_anything_else_that_wrk_prints_is_refused(output: str) -> None:
    with pytest.raises(LoadError):
        load.parse(output)


def test_of_several_runs_the_one_in_the_middle_counts() -> None:
    runs = [Load(1, 1, rate, 1, p99) for rate, p99 in ((300, 9), (100, 5), (200, 7))]
    assert measuring.middle(runs) == Load(1, 1, 200, 1, 7)


def test_a_goal_is_judged_by_what_it_is_about() -> None:
    assert row(50, nginx=100, goal=report.at_least(0.5, "nginx")).met() is True
    assert row(49, nginx=100, goal=report.at_least(0.5, "nginx")).met() is False
    assert row(49, nginx=10, isso=1, goal=report.at_least(55, "isso")).met() is False
    assert row(400, isso=500, goal=report.at_most(1, "isso")).met() is True
    assert row(60, isso=900, goal=report.bound("<", 60, "ms")).met() is False
    assert row(150, isso=90, goal=report.bound("≤", 150, "MB")).met() is True


def test_a_goal_without_its_peer_is_not_judged() -> None:
    assert row(50, isso=1, goal=report.at_least(0.5, "nginx")).met() is None


def test_the_table_has_figures_ratios_and_verdicts() -> None:
    made = report.table(
        [
            Row("thread, warm", "requests/s", 81_648.9, 148_600, 21.64, report.at_least(0.5, "nginx")),
            Row("304", "requests/s", 70_000, 198_300, goal=report.at_least(0.5, "nginx"), note="none"),
            Row("start", "s", 0.731, isso=0.3),
        ]
    )
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in made.splitlines()]
    assert [len(set(map(len, made.splitlines()))), len(lines)] == [1, 5]
    assert lines[2][2:] == ["81,649", "148,600", "21.6", "0.55", "3,773", "≥ 0.5 × nginx", "met"]  # noqa: RUF001
    assert lines[3][4:] == ["none", "0.35", "–", "≥ 0.5 × nginx", "missed"]  # noqa: RUF001
    assert lines[4][2:] == ["0.73", "–", "0.30", "–", "2.44", "", ""]  # noqa: RUF001


def test_the_table_replaces_the_last_one_and_nothing_else() -> None:
    document = f"# Speed\n\n{report.BEGIN}\nold\n{report.END}\n\nWhat it means.\n"
    made = report.into(document, "new\n")
    assert made == f"# Speed\n\n{report.BEGIN}\n\nnew\n\n{report.END}\n\nWhat it means.\n"
    assert report.into(made, "new") == made
    with pytest.raises(ValueError, match="no place"):
        report.into("# Speed\n", "new")


def test_the_document_has_a_place_for_the_table() -> None:
    report.into((ROOT / "docs/performance.md").read_text(), "new")


def test_articles_have_the_same_comments_in_every_run() -> None:
    one, again = (material.article("/a/", 100) for _ in range(2))
    assert one == again
    assert one != material.article("/b/", 100)
    assert all(200 <= len(material.texts()[said.text]) <= 600 for said in one.said)
    assert len({said.text for said in one.said}) == 100


def test_an_article_of_a_hundred_comments_fits_on_a_page() -> None:
    article = material.article("/a/", 100)
    assert article.begins_with(measuring.ROOTS) == 100
    assert sum(said.root is None for said in article.said) == measuring.ROOTS
    below = [said.root for said in article.said if said.root is not None]
    assert max(below.count(root) for root in below) <= material.MOST_REPLIES
    for at, said in enumerate(article.said):
        assert said.answers is None or said.answers < at
        assert said.depth == (0 if said.answers is None else article.said[said.answers].depth + 1)


def test_a_compressed_answer_is_read() -> None:
    answer = asking.Answer(200, {"content-encoding": "br"}, brotli.compress(b'{"count": 100}'))
    assert asking.json_of(answer) == {"count": 100}
    with pytest.raises(asking.WrongAnswerError, match="a thread"):
        answer.require(304, "a thread")
    with pytest.raises(asking.WrongAnswerError):
        asking.json_of(asking.Answer(500, {}, b"<h1>No</h1>"))


def test_the_bare_server_gives_out_what_another_has_answered(tmp_path: Path) -> None:
    headers = {"content-type": "text/html", "content-length": "5", "etag": 'W/"one"', "date": "today"}
    with ceiling.serving(tmp_path, "/embed?url=x", asking.Answer(200, headers, b"bytes")) as url:
        whole, short = asking.get(url), asking.get(url, **{"If-None-Match": 'W/"one"'})
    assert (whole.status, whole.body, whole.headers["etag"]) == (200, b"bytes", 'W/"one"')
    assert (short.status, short.body, short.headers["etag"]) == (304, b"", 'W/"one"')
    with pytest.raises(OSError, match="refused"):
        asking.get(url)


@pytest.mark.parametrize("script", ["moderation_queue", "spamfilter"])
def test_who_asks_a_measurement_for_help_is_not_measured(script: str) -> None:
    command = [sys.executable, str(ROOT / "bench" / f"{script}.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.startswith(f"usage: {script}.py")
