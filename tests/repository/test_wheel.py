"""The wheel is complete: installed elsewhere, without this checkout, every part of the service is there."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen
from zipfile import ZipFile

import pytest

from tests.support import installation, processes
from tests.support.installation import ROOT, Installation


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return installation.install(tmp_path_factory.mktemp("installed"))


def get(url: str) -> str:
    with urlopen(url, timeout=processes.PATIENCE) as answer:
        return str(answer.read().decode())


def test_it_has_every_file_of_the_package_and_every_migration(installed: Installation) -> None:
    files = [
        path.relative_to(ROOT).as_posix()
        for folder in ("commentsvc", "migrations")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    ]
    expected = {re.sub("^migrations/", "commentsvc/migrations/", name) for name in files}
    with ZipFile(installed.wheel) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == expected


def test_the_code_that_runs_is_the_wheels(installed: Installation, tmp_path: Path) -> None:
    where = installed.run(tmp_path, "python", "-c", "import commentsvc; print(commentsvc.__file__)")
    assert Path(where).is_relative_to(installed.scripts.parent)


def test_the_demo_runs_in_an_empty_directory(installed: Installation, tmp_path: Path) -> None:
    ports = [processes.free_port() for _ in range(3)]
    options = zip(("--port", "--blog-port", "--login-port"), map(str, ports), strict=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    with processes.running(
        tmp_path / "output",
        installed.environ,
        "demo",
        *(word for pair in options for word in pair),
        program=str(installed.scripts / "commentsvc"),
        folder=empty,
    ) as demo:
        demo.until_said("Ctrl+C stops everything")
        article = f"http://localhost:{ports[1]}/comment-section/"
        assert "embed.js" in get(article)
        service = f"http://127.0.0.1:{ports[0]}"
        thread = get(f"{service}/embed?url={quote(article, safe='')}")
        assert 'id="comment-' in thread
        for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', thread):
            assert get(service + path)
        demo.send(signal.SIGINT)
        assert demo.child.wait(processes.PATIENCE) == 0, demo.said()
    assert list(empty.iterdir()) == []


def test_a_service_is_set_up_and_run(installed: Installation, tmp_path: Path) -> None:
    installed.run(tmp_path, "commentsvc", "init", "--base-url", "http://127.0.0.1:8600")
    assert (tmp_path / "instance" / "comments.sqlite").is_file()
    installed.run(tmp_path, "commentsvc", "site", "add", "Blog", "https://blog.example")
    assert installed.run(tmp_path, "commentsvc", "work", "--once") == "Tried to send 0; 0 waiting.\n"
    name = installed.run(tmp_path, "python", "-c", "from commentsvc.wsgi import app; print(app.name)")
    assert name == "commentsvc\n"
    port = processes.free_port()
    with processes.running(
        tmp_path / "output",
        installed.environ,
        "serve",
        "--bind",
        f"127.0.0.1:{port}",
        program=str(installed.scripts / "commentsvc"),
        folder=tmp_path,
    ):
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        assert "comment-thread" in get(f"http://127.0.0.1:{port}/embed.js")
        assert "<form" in get(f"http://127.0.0.1:{port}/embed?url=https%3A%2F%2Fblog.example%2Fone%2F")
