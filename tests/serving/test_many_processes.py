"""Several processes behind a real nginx over one PostgreSQL, set up as the documentation says."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.models import Comment, Site
from tests.conftest import BLOG, environment, missing
from tests.support import nginx, processes, service_processes
from tests.support.certificates import Authority
from tests.support.service_processes import Guest, Running

DOCS = Path(__file__).resolve().parents[2] / "docs"
HOST = "comments.example"
ENVIRON = {"COMMENTSVC_BASE_URL": f"https://{HOST}", "COMMENTSVC_TRUSTED_PROXIES": "127.0.0.1"}
ARTICLE = f"{BLOG}/article"
SOON = 2.0
"""Seconds within which a comment is seen everywhere."""


@dataclass(frozen=True)
class Behind:
    """What stands behind an nginx, and how to get in."""

    port: int
    authority: Authority
    services: list[Running]

    def guest(self, name: str) -> Guest:
        """Somebody who comes by https, as everybody does."""
        return Guest(self.port, name, base_url=f"https://{HOST}", host=HOST, context=self.authority.client())


@pytest.fixture(scope="session")
def program() -> str:
    result = nginx.find()
    if result is None:
        missing("nginx", "`python -m tests.support.nginx` brings one where it can")
    return str(result)


@pytest.fixture
def open_site(session: Session, site: Site) -> Site:
    site.valve = False
    session.commit()
    session.rollback()
    return site


@contextmanager
def proxied(
    program: str, folder: Path, page: str, containing: str, backends: dict[str, str]
) -> Iterator[tuple[int, Authority]]:
    """Nginx with the example of a page, at a port and with a certificate of the test's own."""
    port, authority = processes.free_port(), Authority()
    authority.server(HOST, folder)
    changes = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/comments.example.pem": f"{folder}/{HOST}.pem",
        "/etc/ssl/comments.example.key": f"{folder}/{HOST}.pem",
        **backends,
    }
    config = nginx.example(DOCS / page, containing, changes)
    with nginx.serving(program, folder / "nginx", config, port):
        yield port, authority


@pytest.fixture
def machines(settings: Settings, open_site: Site, program: str, tmp_path: Path) -> Iterator[Behind]:
    """Two machines, as docs/growing.md has them."""
    with (
        service_processes.service(settings, tmp_path / "one", environ=ENVIRON) as one,
        service_processes.service(settings, tmp_path / "two", environ=ENVIRON) as two,
    ):
        backends = {"10.0.0.11:8600": f"127.0.0.1:{one.port}", "10.0.0.12:8600": f"127.0.0.1:{two.port}"}
        with proxied(program, tmp_path, "growing.md", "upstream", backends) as (port, authority):
            yield Behind(port, authority, [one, two])


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_comment_posted_through_one_machine_is_soon_seen_through_the_other(machines: Behind) -> None:
    here, there = (
        Guest(one.port, "anna", base_url=f"https://{HOST}", host=HOST) for one in machines.services
    )
    for turn in range(3):
        there.read(ARTICLE)  # from now on it has the page in memory
        answer = here.post(ARTICLE, f"Comment {turn}", key=f"{turn}")
        assert answer.status == 200
        posted, seen = time.monotonic(), []
        while answer.id not in seen:
            assert time.monotonic() < posted + SOON
            _, seen = there.read(ARTICLE)
        here, there = there, here
    for guest in (here, there):
        guest.connection.close()


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_machine_that_dies_takes_nothing_with_it(machines: Behind, session: Session) -> None:
    """Under load, and no reader or writer notices: every answer is a success, every success is in the database."""
    writers, each = 6, 12
    half = threading.Barrier(writers + 1)

    def write(number: int) -> dict[str, int]:
        guest, acknowledged = machines.guest(f"writer{number}"), {}
        for turn in range(each):
            if turn == each // 2:
                half.wait(processes.PATIENCE)
            key = f"{number}-{turn}"
            answer = guest.post(ARTICLE, f"Number {number} says {turn}", key=key)
            assert answer.status == 200, answer
            acknowledged[key] = answer.id
            status, _ = guest.read(ARTICLE)
            assert status == 200
        guest.connection.close()
        return acknowledged

    with ThreadPoolExecutor(writers) as pool:
        under_way = [pool.submit(write, number) for number in range(writers)]
        half.wait(processes.PATIENCE)
        machines.services[0].kill()
        acknowledged = {key: number for one in under_way for key, number in one.result().items()}

    stored = session.execute(select(Comment.idempotency_key, Comment.id)).all()
    assert len(stored) == len(acknowledged) == writers * each
    assert {row.idempotency_key: row.id for row in stored} == acknowledged


def test_the_example_of_one_machine_works(
    settings: Settings, open_site: Site, program: str, tmp_path: Path
) -> None:
    with service_processes.service(settings, tmp_path / "one", environ=ENVIRON) as one:
        backends = {"127.0.0.1:8600": f"127.0.0.1:{one.port}"}
        with proxied(program, tmp_path, "serving.md", "server_name", backends) as (port, authority):
            guest = Behind(port, authority, [one]).guest("anna")
            answer = guest.post(ARTICLE, "Hello", key="1")
            assert answer.status == 200
            assert guest.read(ARTICLE) == (200, [answer.id])
            guest.connection.close()


def test_the_example_works_with_a_unix_socket(
    settings: Settings, open_site: Site, program: str, tmp_path: Path
) -> None:
    path, documented = tmp_path / "socket", "unix:/run/commentsvc/socket"
    page = (DOCS / "serving.md").read_text()
    for line in (f"serve --bind {documented}", f"proxy_pass http://{documented};"):
        assert line in page
    variables = environment(tmp_path / "data", COMMENTSVC_DATABASE_URL=settings.database_url) | ENVIRON
    arguments = ["-m", "commentsvc", "serve", "--bind", f"unix:{path}"]
    with processes.running(tmp_path / "output", variables, *arguments) as process:
        processes.until(path.is_socket, "the socket")
        backends = {"http://127.0.0.1:8600": f"http://unix:{path}"}
        with proxied(program, tmp_path, "serving.md", "server_name", backends) as (port, authority):
            guest = Behind(port, authority, []).guest("anna")
            answer = guest.post(ARTICLE, "Hello", key="1")
            assert answer.status == 200
            assert guest.read(ARTICLE) == (200, [answer.id])
            guest.connection.close()
    assert "Traceback" not in process.said()


def test_a_cache_in_front_as_documented_keeps_what_is_everybodys_and_nothing_else(
    settings: Settings, open_site: Site, program: str, tmp_path: Path
) -> None:
    environ = {"COMMENTSVC_CDN_SECONDS": "60"}
    with service_processes.service(settings, tmp_path / "one", environ=environ) as one:
        changes = {"/var/cache/nginx": str(tmp_path), "127.0.0.1:8600": f"127.0.0.1:{one.port}"}
        config = nginx.example(DOCS / "serving.md", "proxy_cache_path", changes)
        store, marker, location = config.partition("# in the server:")
        assert marker
        port = processes.free_port()
        rest = f"location / {{ proxy_pass http://127.0.0.1:{one.port}; }}"
        server = f"{store}\nserver {{ listen 127.0.0.1:{port}; {location} {rest} }}"
        with nginx.serving(program, tmp_path / "nginx", server, port):
            anna, reader = Guest(one.port, "anna"), Guest(port, "ben")
            assert reader.read(ARTICLE) == (200, [])
            posted = anna.post(ARTICLE, "Hello", key="1")
            assert anna.read(ARTICLE) == (200, [posted.id])
            assert reader.read(ARTICLE) == (200, [])  # from nginx, for a minute
            assert tokens(port) != tokens(port)  # what is one reader's own is asked for each time
            for guest in (anna, reader):
                guest.connection.close()


def tokens(port: int) -> bytes:
    """What a reader alone is told, a moment apart from the last time."""
    time.sleep(1.1)  # a form's token tells seconds apart
    with urlopen(f"http://127.0.0.1:{port}/embed/own?url={ARTICLE}") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        return bytes(answer.read())


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="asks the Linux kernel who has a connection")
def test_as_many_processes_answer_as_are_wanted(settings: Settings, open_site: Site, tmp_path: Path) -> None:
    wanted = 3
    with service_processes.service(settings, tmp_path / "one", workers=wanted) as running:
        guests = [Guest(running.port, "anna") for _ in range(40)]
        for guest in guests:
            assert guest.read(ARTICLE)[0] == 200
        assert len(holders(running)) == wanted
        for guest in guests:
            guest.connection.close()


def holders(running: Running) -> set[int]:
    """The processes of a service that hold a connection of somebody's."""
    established = {
        fields[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if (fields := line.split())[3] == "01" and fields[1].endswith(f":{running.port:04X}")
    }
    children = Path(f"/proc/{running.process.child.pid}/task").glob("*/children")
    result = set()
    for child in " ".join(file.read_text() for file in children).split():
        for link in Path(f"/proc/{child}/fd").iterdir():
            try:
                target = str(link.readlink())
            except FileNotFoundError:
                continue
            if target.removeprefix("socket:[").removesuffix("]") in established:
                result.add(int(child))
    return result
