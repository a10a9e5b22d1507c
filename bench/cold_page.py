"""Measures a thread's first page of 100 comments without a cache, compared with an earlier revision.

    python bench/cold_page.py [sqlite|postgresql] [--against REVISION] [--server]

Each revision has its own database with the same rows. They are measured alternately, each round with different threads,
in one process and one thread; the figures are medians of the rounds. The time of each part is measured separately,
because watching takes time itself. `--server` also measures both by wrk, through `commentsvc serve`; each page is one
that its process has not rendered before.
"""

# ruff: noqa: RUF005, S101, S310, S311, S603, SIM905, T201
from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

HERE = Path(__file__).resolve()
BLOG = "https://blog.example"
ROOTS, REPLIES = 50, 50
SHORTEST, LONGEST = 200, 600
MEMBERS = 10
"""Every tenth comment is a member's; the others are guests'."""
NAMES = "Anna Ben Clara David Emma Felix Greta Hugo Ida Jonas Kim Lena Max Nora Otto Paula Rosa Sam Tara Uli".split()
WORDS = "the a of walk river <b>&amp;</b> slowly and then we saw how light came over it again without any word".split()
SEED = 2026
PARTS = ("database", "reading", "template", "rest")
SCRIPT = """
local given = 0
function setup(thread) thread:set("first", given); given = given + 1 end
function init() asked = first end
function request()
  local thread, time = asked % {threads}, math.floor(asked / {threads})
  asked = asked + 2
  local path = string.format("/embed?url={blog}%%2F%d%%3Futm_id%%3D%d", thread, time)
  return wrk.format("GET", path)
end
"""


# One revision, in a process of its own: it writes the database, then measures as it is told.


def answer(database: str, threads: int) -> None:
    """Execute commands from standard input, one per line: a round, or a watched round."""
    app = application(database)
    with app.app_context():
        from commentsvc.db.session import db
        from commentsvc.integrations import migrations

        migrations.bring_up_to_date()
        fill(db.engine, threads)
        db.engine.dispose()
    print(json.dumps("ready"), flush=True)
    chance = random.Random(SEED)
    for line in sys.stdin:
        numbers = [chance.randrange(threads) for _ in range(int(line.split()[1]))]
        result = watched(app, numbers) if line.startswith("watched") else timed(app, numbers)
        print(json.dumps(result), flush=True)


def application(database: str) -> Any:
    from commentsvc import create_app
    from commentsvc.config import Settings

    return create_app(Settings.from_env(environment(database)))


def environment(database: str) -> dict[str, str]:
    """Return the settings of a revision."""
    return {
        "COMMENTSVC_SECRET_KEY": "an-arbitrary-key-for-measuring-0123456789",
        "COMMENTSVC_BASE_URL": "http://127.0.0.1:8600",
        "COMMENTSVC_DATA_DIR": tempfile.gettempdir(),
        "COMMENTSVC_DATABASE_URL": database,
        "COMMENTSVC_LOG_LEVEL": "WARNING",
    }


def fill(engine: Any, threads: int) -> None:
    """Insert a site and its threads directly into the tables."""
    from sqlalchemy import insert

    from commentsvc.models import Comment, Commenter, Origin, Site, Thread

    chance = random.Random(SEED)
    texts = [text(chance) for _ in range(500)]
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with engine.begin() as connection:
        connection.execute(insert(Site), [{"id": 1, "name": "Blog", "created_at": at}])
        connection.execute(insert(Origin), [{"site_id": 1, "origin": BLOG}])
        people = [{"id": number, "name": f"Member {number}", "created_at": at} for number in range(1, 51)]
        connection.execute(insert(Commenter), people)
        shared = {"site_id": 1, "created_at": at, "version": 1, "approved_count": ROOTS + REPLIES}
        for start in range(0, threads, 100):
            numbers = range(start, min(start + 100, threads))
            connection.execute(
                insert(Thread),
                [
                    {"id": one + 1, "key": f"blog.example/{one}", "url": f"{BLOG}/{one}", **shared}
                    for one in numbers
                ],
            )
            connection.execute(
                insert(Comment), [row for one in numbers for row in comments(one, chance, texts)]
            )
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def text(chance: random.Random) -> str:
    """Return a comment's rendered text of 200 to 600 characters."""
    wanted = chance.randint(SHORTEST, LONGEST)
    words = ""
    while len(words) < wanted:
        words += chance.choice(WORDS) + " "
    return f"<p>{words.strip()}</p>\n"


def comments(thread: int, chance: random.Random, texts: list[str]) -> Iterator[dict[str, Any]]:
    """Return the rows of one thread: roots with a reply each, every third with a second reply to the first."""
    first = thread * (ROOTS + REPLIES) + 1
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=thread)
    below: list[tuple[int, int, int]] = []
    for root in range(first, first + ROOTS):
        place = (root - first) % 3
        if place == 0:
            below.append((root, root, 1))
        elif place == 1:
            below.append((root, root, 1))
            below.append((root, first + ROOTS + len(below) - 1, 2))
    del below[REPLIES:]
    below += [(first + 1, first + 1, 1)] * (REPLIES - len(below))
    counts = Counter(root for root, _, _ in below)
    for number in range(ROOTS + REPLIES):
        root, parent, depth = below[number - ROOTS] if number >= ROOTS else (None, None, 0)
        member = chance.randint(1, 50) if number % MEMBERS == 0 else None
        html = chance.choice(texts)
        yield {
            "id": first + number,
            "site_id": 1,
            "thread_id": thread + 1,
            "root_id": root,
            "parent_id": parent,
            "depth": depth,
            "kind": "comment",
            "status": "approved",
            "shown": True,
            "reply_count": counts[first + number],
            "format": "markdown",
            "source": html,
            "html": html,
            "renderer": 1,
            "digest": "x" * 32,
            "commenter_id": member,
            "guest_name": None if member else chance.choice(NAMES),
            "guest_website": "https://guest.example/" if number % 7 == 1 and not member else None,
            "created_at": at + timedelta(minutes=37 * number, microseconds=number),
        }


def call(app: Any, number: int) -> bytes:
    """Request one thread's page as a server would."""
    from flask import Flask

    began: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/embed",
        "QUERY_STRING": f"url={quote(f'{BLOG}/{number}', safe='')}",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8600",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8600",
        "HTTP_ACCEPT": "text/html",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": sys.stdin.buffer,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    # The method of the class, because the application may have a cache in front of it.
    result = Flask.wsgi_app(app, environ, lambda status, *_: began.append(status))
    try:
        body = b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    if began != ["200 OK"] or body.count(b"<article") != ROOTS + REPLIES:
        raise SystemExit(f"{began}: not a page of {ROOTS + REPLIES} comments")
    return body


def timed(app: Any, numbers: Iterable[int]) -> dict[str, float]:
    """Return milliseconds per page, wall-clock and CPU, and the page's bytes."""
    began, busy, size, pages = time.perf_counter(), time.process_time(), 0, 0
    for number in numbers:
        size, pages = len(call(app, number)), pages + 1
    return {
        "ms": (time.perf_counter() - began) * 1000 / pages,
        "cpu": (time.process_time() - busy) * 1000 / pages,
        "bytes": size,
    }


def watched(app: Any, numbers: Iterable[int]) -> dict[str, float]:
    """Return milliseconds per page in each of PARTS, and the number of queries."""
    from jinja2 import Template
    from sqlalchemy import event

    from commentsvc.db.session import db
    from commentsvc.domain.reading import thread_pages

    with app.app_context():
        engine = db.engine
    clock, queries, pages = Clock(), 0, 0

    def connect(_dialect: Any, _record: Any, _arguments: Any, named: dict[str, Any]) -> None:
        named |= clock.driver(engine.dialect.name)

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal queries
        queries += not statement.startswith("BEGIN")

    page, render = thread_pages.page, Template.render
    thread_pages.page, Template.render = clock.of("reading", page), clock.of("template", render)  # type: ignore[assignment, method-assign]
    event.listen(engine, "do_connect", connect)
    event.listen(engine, "before_cursor_execute", note)
    engine.dispose()
    try:
        call(app, 0)
        clock.spent.clear()
        queries = 0
        for number in numbers:
            clock.of("rest", call)(app, number)
            pages += 1
    finally:
        thread_pages.page, Template.render = page, render  # type: ignore[method-assign]
        event.remove(engine, "do_connect", connect)
        event.remove(engine, "before_cursor_execute", note)
        engine.dispose()
    return {name: clock.spent[name] * 1000 / pages for name in PARTS} | {"queries": queries / pages}


class Clock:
    """The time spent in each part, without the parts that it called."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._inside: list[str] = []

    def of(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Return `work` with its time recorded."""

        def measured(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            self._inside.append(name)
            try:
                return work(*given, **named)
            finally:
                took = time.perf_counter() - began
                self._inside.pop()
                self.spent[name] += took
                if self._inside:
                    self.spent[self._inside[-1]] -= took

        return measured

    def driver(self, engine: str) -> dict[str, Any]:
        """Return a function that makes a driver's connection use watched cursors."""
        if engine == "sqlite":
            kind: Any = sqlite3.Cursor
        else:
            import psycopg

            kind = psycopg.Cursor
        names = ("execute", "fetchone", "fetchmany", "fetchall")
        cursor = type("Watched", (kind,), {name: self.of("database", getattr(kind, name)) for name in names})
        if engine != "sqlite":
            return {"cursor_factory": cursor}

        class Connection(sqlite3.Connection):
            def cursor(self, _factory: Any = None) -> Any:
                return super().cursor(cursor)

        return {"factory": Connection}


# All of them together.


class Revision:
    """A revision under measurement, in a process that executes commands."""

    def __init__(self, name: str, source: Path, database: str, threads: int) -> None:
        self.name, self.source, self.database = name, source, database
        self.rounds: list[dict[str, float]] = []
        self.watched: list[dict[str, float]] = []
        self.served: list[dict[str, float]] = []
        self.process = subprocess.Popen(
            [sys.executable, str(HERE), "--obey", database, "--threads", str(threads)],
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.told()

    def environment(self) -> dict[str, str]:
        return os.environ | environment(self.database) | {"PYTHONPATH": str(self.source)}

    def ask(self, order: str, pages: int) -> Any:
        assert self.process.stdin
        print(order, pages, file=self.process.stdin, flush=True)
        return self.told()

    def told(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}: the process ended")
        return json.loads(line)

    def serve(self, threads: int, seconds: int) -> None:
        """Record how many pages per second the production server delivers."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder, "cold.lua")
            script.write_text(SCRIPT.format(blog=quote(BLOG, safe="").replace("%", "%%"), threads=threads))
            server = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "commentsvc",
                    "serve",
                    "--bind",
                    f"127.0.0.1:{port}",
                    "--workers",
                    "2",
                ],
                cwd=self.source,
                env=self.environment(),
                stdout=subprocess.DEVNULL,
            )
            try:
                wait_for(f"http://127.0.0.1:{port}/embed?url={quote(BLOG, safe='')}%2F0")
                before = busy(server.pid)
                done = subprocess.run(
                    ["wrk", "-t2", "-c32", f"-d{seconds}", "--timeout", "30s", "-H", "Accept-Encoding: gzip"]
                    + ["-s", str(script), f"http://127.0.0.1:{port}"],
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
                spent = busy(server.pid) - before
            finally:
                server.terminate()
                server.wait()
        if "Non-2xx" in done or "Socket errors" in done:
            raise SystemExit(done)
        pages, rate = (
            float(re.search(line, done)[1]) for line in (r"(\d+) requests in", r"Requests/sec:\s+([\d.]+)")
        )  # type: ignore[index]
        self.served.append({"rate": rate, "cpu": spent * 1000 / pages})


def busy(pid: int) -> float:
    """Return the CPU seconds of a server and its workers, from /proc."""
    ids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in ids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


def wait_for(url: str) -> None:
    """Return once the server answers."""
    for _ in range(100):
        try:
            urllib.request.urlopen(url).read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server does not answer")


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """Yield a folder with the sources of an earlier revision."""
    folder = Path(tempfile.mkdtemp(prefix="commentsvc-bench-"))
    git = ["git", "-C", str(HERE.parent), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder / "source"), revision], check=True)
    try:
        yield folder / "source"
    finally:
        subprocess.run([*git, "remove", "--force", str(folder / "source")], check=True)
        shutil.rmtree(folder)


@contextmanager
def database(engine: str) -> Iterator[str]:
    """Yield the URL of an empty database."""
    if engine == "postgresql":
        from moderation_queue import database as started

        with started(engine) as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="commentsvc-bench-") as folder:
        yield f"sqlite:///{folder}/comments.sqlite"


def main(given: argparse.Namespace) -> None:
    """Measure this checkout alternately with the other revision."""
    with ExitStack() as stack:
        sources = {"now": HERE.parent.parent}
        if given.against:
            sources[given.against] = stack.enter_context(checkout(given.against))
        revisions = [
            Revision(name, source, stack.enter_context(database(given.engine)), given.threads)
            for name, source in sources.items()
        ]
        for one in revisions:
            one.ask("timed", 50)
        for _ in range(given.rounds):
            for one in revisions:
                one.rounds.append(one.ask("timed", given.pages))
                one.watched.append(one.ask("watched", given.pages // 2))
        for _ in range(3 if given.server else 0):
            for one in revisions:
                one.serve(given.threads, given.seconds)
        for one in revisions:
            report(one, revisions[0])
            one.process.communicate()


def report(one: Revision, new: Revision) -> None:
    """Print one revision's figures."""

    def middle(rows: list[dict[str, float]], name: str) -> float:
        return median(row[name] for row in rows)

    ms = middle(one.rounds, "ms")
    print(
        f"{one.name}: {ms:.2f} ms a page ({1000 / ms:.0f} a second), {middle(one.rounds, 'cpu'):.2f} ms of processor,"
        f" {middle(one.rounds, 'bytes'):,.0f} bytes, {middle(one.watched, 'queries'):.1f} queries"
    )
    print("  watched: " + ", ".join(f"{name} {middle(one.watched, name):.2f} ms" for name in PARTS))
    if one.served:
        rates = ", ".join(f"{row['rate']:.0f}" for row in one.served)
        print(f"  served: {middle(one.served, 'rate'):.0f} requests a second ({rates}),", end=" ")
        print(f"{middle(one.served, 'cpu'):.2f} ms of processor each")
    if one is not new:
        print(f"  now {ms / middle(new.rounds, 'ms'):.1f} times as fast", end="")
        print(f", with {middle(one.rounds, 'cpu') / middle(new.rounds, 'cpu'):.1f} times less work", end="")
        if one.served:
            print(
                f"; served {middle(new.served, 'rate') / middle(one.served, 'rate'):.1f} times as fast",
                end="",
            )
        print()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("engine", nargs="?", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--against", metavar="REVISION")
    parser.add_argument("--threads", type=int, default=1000)
    parser.add_argument("--pages", type=int, default=200, help="in a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--server", action="store_true")
    parser.add_argument("--seconds", type=int, default=10, help="for wrk")
    parser.add_argument("--obey", metavar="DATABASE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.obey:
        answer(options.obey, options.threads)
    else:
        main(options)
