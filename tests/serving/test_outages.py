"""What readers, writers, `/healthz` and the log see while the database of a running service is away."""

from __future__ import annotations

import http.client
import json
import re
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.models import Site
from tests.conftest import BASE_URL, BLOG, environment
from tests.support import faults, processes, service_processes
from tests.support.service_processes import Guest, Running

ARTICLE = f"{BLOG}/article"
PAGE = f"/embed?url={quote(ARTICLE, safe='')}"
WORDS = "A text that took an hour"
SOON = 8.0
"""Seconds in which everybody has an answer, on a slow machine too; without limits it would be minutes."""
QUICK = 1.0
"""Seconds in which a page in memory comes although others wait for the database: the median of many."""


def ask(
    port: int, path: str, form: dict[str, str] | None = None, accept: str = "text/html"
) -> tuple[int, str]:
    """Return the status and text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=processes.PATIENCE)
    headers = {"Accept": accept, "Origin": BASE_URL, "Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request("POST" if form else "GET", path, urlencode(form) if form else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def health(port: int) -> tuple[int, str]:
    """Return the status of `/healthz` and what it says is wrong."""
    status, text = ask(port, "/healthz")
    return status, json.loads(text).get("message", "")


def write(port: int, key: str, accept: str = "text/html") -> tuple[int, str]:
    """Post a comment without a script, or with one."""
    guest = Guest(port, "Anna")
    form = {
        "url": ARTICLE,
        "token": guest._token(ARTICLE),
        "key": key,
        "author_key": guest.author_key,
        "text": f"{WORDS}: {key}",
        "name": "Anna",
        "email": "anna@mail.example",
    }
    return ask(port, "/thread/comments" if accept == "text/html" else "/embed/comments", form, accept)


def load(port: int) -> list[tuple[float, int]]:
    """Let thirty readers ask for the page in memory while others ask for what is not; return times and statuses."""

    def read(number: int) -> tuple[float, int]:
        began = time.monotonic()
        path = PAGE if number % 2 else f"/embed?url={quote(f'{BLOG}/{number}', safe='')}"
        status, _ = ask(port, path)
        return time.monotonic() - began, status

    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(read, range(60)))
    return results[1::2]


@pytest.fixture
def open_site(session: Session, site: Site) -> Site:
    site.valve = False
    session.commit()
    session.rollback()
    return site


@pytest.fixture
def running(settings: Settings, open_site: Site, tmp_path: Path) -> Iterator[Running]:
    """A service with a page of one comment in memory."""
    with service_processes.service(settings, tmp_path / "here") as running:
        assert write(running.port, "first")[0] == 303
        assert ask(running.port, PAGE)[0] == 200
        yield running


def outage_of(kind: str, url: str) -> AbstractContextManager[None]:
    return faults.frozen(url) if kind == "frozen" else faults.locked(url)


@pytest.mark.parametrize("engine_name", ["postgresql"])
@pytest.mark.parametrize("kind", ["frozen", "locked"])
def test_while_postgresql_hangs_pages_in_memory_are_given_out(
    kind: str, running: Running, settings: Settings
) -> None:
    with outage_of(kind, settings.database_url):
        time.sleep(1.1)  # the page's version has to be read again
        began = time.monotonic()
        answers = load(running.port)
        assert [status for _, status in answers] == [200] * len(answers)
        assert max(seconds for seconds, _ in answers) < SOON
        assert sorted(seconds for seconds, _ in answers)[len(answers) // 2] < QUICK
        began = time.monotonic()
        assert health(running.port) == (503, "The database does not answer.")
        assert time.monotonic() - began < SOON
        began = time.monotonic()
        status, page = write(running.port, "second")
        assert status == 503
        assert WORDS in page
        status, text = write(running.port, "third", "application/json")
        assert (status, json.loads(text)) == (
            503,
            {"message": "The service is busy. Please try again in a moment."},
        )
        assert time.monotonic() - began < 2 * SOON
    processes.until(lambda: health(running.port)[0] == 200, "/healthz")
    processes.until(lambda: write(running.port, "second")[0] == 303, "a comment")
    assert running.process.said().count("Traceback (most recent call last)") == 1


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_an_outage_is_logged_in_a_line_for_each_request(running: Running, settings: Settings) -> None:
    before = len(running.process.said())
    with faults.frozen(settings.database_url):
        for number in range(30):
            assert ask(running.port, f"/embed?url={quote(f'{BLOG}/{number}', safe='')}")[0] == 503
    processes.until(lambda: health(running.port)[0] == 200, "/healthz")
    processes.until(
        lambda: health(running.port) and "the database answers again" in running.process.said(), "the end"
    )
    output = running.process.said()[before:]
    assert len(re.findall(r"^\S+ \S+ ERROR .*GET /embed: ", output, re.MULTILINE)) == 30
    assert output.count("the database answers again") == 1
    assert output.count("Traceback (most recent call last)") == 1


def test_a_full_disk_is_said_and_the_text_is_kept(
    tmp_path: Path, settings: Settings, open_site: Site
) -> None:
    with faults.small_disk(tmp_path / "disk") as disk:
        with (
            closing(sqlite3.connect(tmp_path / "comments.sqlite")) as source,
            closing(sqlite3.connect(disk / "comments.sqlite")) as copy,
        ):
            source.backup(copy)
        url = f"sqlite:///{disk}/comments.sqlite"
        there = Settings.from_env(environment(tmp_path, COMMENTSVC_DATABASE_URL=url))
        with service_processes.service(there, tmp_path / "here") as running:
            assert write(running.port, "first")[0] == 303
            filler = faults.fill(disk)
            pages = [write(running.port, f"{number}") for number in range(40)]
            status, page = pages[-1]
            assert status == 503
            assert "disk is full" in page
            assert WORDS in page
            status, text = write(running.port, "script", "application/json")
            assert status == 503
            assert "disk is full" in json.loads(text)["message"]
            status, message = health(running.port)
            assert status == 503
            assert "disk is full" in message
            assert ask(running.port, PAGE)[0] == 200
            filler.unlink()
            assert write(running.port, "after")[0] == 303
            assert health(running.port)[0] == 200
            assert WORDS not in running.process.said()
            stored = sum(status == 303 for status, _ in pages) + 2
        with closing(sqlite3.connect(disk / "comments.sqlite")) as database:
            assert database.execute("SELECT count(*) FROM comment").fetchone() == (stored,)


def test_a_deleted_database_takes_nothing_and_is_not_replaced_by_an_empty_one(
    running: Running, tmp_path: Path
) -> None:
    for file in tmp_path.glob("comments.sqlite*"):
        file.unlink()
    assert write(running.port, "second")[0] == 503
    assert health(running.port) == (503, "The database file is missing or was replaced.")
    assert ask(running.port, PAGE)[0] == 200  # from memory
    assert not (tmp_path / "comments.sqlite").exists()


def test_a_service_whose_database_is_gone_does_not_start(tmp_path: Path) -> None:
    variables, port = environment(tmp_path / "data"), processes.free_port()
    arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}"]
    with processes.running(tmp_path / "output", variables, *arguments):
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
    for file in (tmp_path / "data").glob("comments.sqlite*"):
        file.unlink()
    with processes.running(tmp_path / "output", variables, *arguments) as process:
        assert process.child.wait(processes.PATIENCE) == 1
    assert "comments.sqlite is missing, although the service ran here before" in process.said()
    assert not (tmp_path / "data" / "comments.sqlite").exists()
    (tmp_path / "data" / "changes.bell").unlink()
    with processes.running(tmp_path / "output", variables, *arguments):
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")


def test_a_truncated_change_signal_ends_no_worker(running: Running, tmp_path: Path) -> None:
    (tmp_path / "here" / "changes.bell").write_bytes(b"")
    assert ask(running.port, PAGE)[0] == 200
    assert write(running.port, "second")[0] == 303
    assert "comment-2" in ask(running.port, PAGE)[1]
    assert "orker" not in running.process.said().partition("Started worker-1")[2]


def test_the_path_of_a_request_is_cut_in_the_log(running: Running) -> None:
    assert ask(running.port, f"/{'a' * 4000}")[0] == 404
    processes.until(lambda: f"GET /{'a' * 50}" in running.process.said(), "its line")
    assert "a" * 300 not in running.process.said()
