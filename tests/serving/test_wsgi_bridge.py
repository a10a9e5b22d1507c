"""What can wait is answered by other threads; readers are answered meanwhile."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from commentsvc.serving.access_log import AccessLog
from commentsvc.serving.wsgi_bridge import CAN_WAIT, SLOW_POOL_SIZE, STREAMS, DeferredResponse, WsgiBridge
from tests.support import processes


class Protocol:
    """Where the server takes an answer from."""

    def __init__(self) -> None:
        self.given: tuple[int, list[tuple[str, str]], bytes] | None = None
        self.done = threading.Event()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.given = (status, headers, body)
        self.done.set()


class App:
    """Answers a GET at once, and anything else later, when `go` is set."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        def answer() -> Iterable[bytes]:
            start("201 Created", [("X-Path", environ["PATH_INFO"])])
            return iter([b"in ", b"parts"])

        def wait() -> Iterable[bytes]:
            assert self.go.wait(processes.PATIENCE)
            if environ["PATH_INFO"] == "/fault":
                raise LookupError
            return answer()

        assert environ[CAN_WAIT]
        return answer() if environ["REQUEST_METHOD"] == "GET" else DeferredResponse(wait)


def request(path: str, method: str = "POST") -> dict[str, Any]:
    return {"REQUEST_METHOD": method, "PATH_INFO": path}


def test_others_are_answered_while_more_wait_than_there_are_threads() -> None:
    app = App()
    gateway = WsgiBridge(app)
    waiting = [Protocol() for _ in range(SLOW_POOL_SIZE * 2)]
    for number, one in enumerate(waiting):
        gateway(one, request(f"/{number}"))
    reader = Protocol()
    gateway(reader, request("/read", "GET"))
    assert reader.given == (201, [("X-Path", "/read")], b"in parts")
    assert not any(one.done.is_set() for one in waiting)
    app.go.set()
    for number, one in enumerate(waiting):
        assert one.done.wait(processes.PATIENCE)
        assert one.given == (201, [("X-Path", f"/{number}")], b"in parts")


def test_a_fault_is_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    app, asked = App(), Protocol()
    app.go.set()
    WsgiBridge(app)(asked, request("/fault"))
    assert asked.done.wait(processes.PATIENCE)
    assert asked.given == (500, [], b"")
    assert "LookupError" in caplog.text


def test_what_is_answered_later_is_written_down_then() -> None:
    app, asked, lines = App(), Protocol(), []
    WsgiBridge(AccessLog(app, write=lines.append))(asked, request("/comments"))
    assert lines == []
    app.go.set()
    assert asked.done.wait(processes.PATIENCE)
    assert '"POST /comments" 201 ' in lines[0]


class Counted(list[bytes]):
    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_every_answer_is_closed_once() -> None:
    body = Counted([b"answer"])
    later = DeferredResponse(lambda: body).then(lambda: None)
    assert (b"".join(later), body.closed) == (b"answer", 1)


WAITING = """
import sys, time
from pathlib import Path
from commentsvc.serving import server
from commentsvc.serving.wsgi_bridge import CAN_WAIT, DeferredResponse

go = Path(sys.argv[2])

def app(environ, start):
    def answer():
        start("200 OK", [("Content-Type", "text/plain")])
        return [environ["PATH_INFO"].encode()]

    def wait():
        while not go.exists():
            time.sleep(0.01)
        return answer()

    return DeferredResponse(wait) if environ["PATH_INFO"].startswith("/wait") and CAN_WAIT in environ else answer()

def load():
    return app

if __name__ == "__main__":
    server.serve(load, server.Bind.read(sys.argv[1]), workers=1)
"""


def test_the_server_has_threads_for_readers_whoever_waits(tmp_path: Path) -> None:
    """Fails, too, with a release of the server that goes round the gateway."""
    port, go = processes.free_port(), tmp_path / "go"
    (tmp_path / "waiting.py").write_text(WAITING)
    arguments = [str(tmp_path / "waiting.py"), f"127.0.0.1:{port}", str(go)]
    with processes.running(tmp_path / "output", {}, *arguments) as process:
        process.until_said("Started worker-1")
        processes.until(lambda: processes.listens(port), "the port")  # it says so a moment before it listens
        statuses: list[int] = []
        waiting = [
            threading.Thread(target=lambda n=n: statuses.append(processes.status(port, f"/wait/{n}")))
            for n in range(SLOW_POOL_SIZE + 8)
        ]
        for one in waiting:
            one.start()
        for _ in range(20):
            assert processes.status(port, "/read") == 200
        assert statuses == []
        with socket.create_connection(("127.0.0.1", port)) as gone:
            gone.sendall(b"GET /wait/gone HTTP/1.1\r\nHost: here\r\n\r\n")
        go.touch()
        for one in waiting:
            one.join(processes.PATIENCE)
        assert statuses == [200] * len(waiting)
    assert "ERROR" not in process.said()
    assert "Traceback" not in process.said()


class StreamingProtocol(Protocol):
    """Takes an answer in parts, as Granian does."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: Any = None

    def response_iter(self, status: int, headers: list[tuple[str, str]], parts: Any) -> None:
        self.given, self.parts = (status, headers, b""), parts


def test_a_streamed_response_is_sent_as_it_is_made_and_ended_with_the_connection() -> None:
    made: list[int] = []

    def pieces() -> Iterator[bytes]:
        try:
            for number in range(1000):
                made.append(number)
                yield b"" if number == 0 else b"%d" % number
        finally:
            made.append(-1)

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        environ[STREAMS] = True
        start("200 OK", [("X", "y")])
        return pieces()

    protocol = StreamingProtocol()
    WsgiBridge(app)(protocol, {"PATH_INFO": "/", "REQUEST_METHOD": "GET"})
    assert protocol.given == (200, [("X", "y")], b"")
    assert made == []
    assert next(protocol.parts) == b"1"  # an empty part would end a chunked response
    assert next(protocol.parts) == b"2"
    assert made == [0, 1, 2]
    protocol.parts.close()
    assert made[-1] == -1


STREAMING = """
import sys, time
from pathlib import Path
from commentsvc.serving import server
from commentsvc.serving.wsgi_bridge import STREAMS

folder = Path(sys.argv[2])

class Body:
    def __init__(self, path):
        self.path, self.parts = path, self.made()

    def __iter__(self):
        return self.parts

    def made(self):
        yield b"first "
        while self.path == "/whole" and not (folder / "go").exists():
            time.sleep(0.01)
        if self.path == "/broken":
            raise RuntimeError("the database is gone")
        for _ in range(2000 if self.path == "/left" else 1):
            yield b"x" * 100_000

    def close(self):
        (folder / self.path[1:]).touch()

def app(environ, start):
    environ[STREAMS] = True
    start("200 OK", [("Content-Type", "text/plain")])
    return Body(environ["PATH_INFO"])

def load():
    return app

if __name__ == "__main__":
    server.serve(load, server.Bind.read(sys.argv[1]), workers=1)
"""


def test_the_server_sends_parts_at_once_and_ends_the_work_when_the_reader_has_gone(tmp_path: Path) -> None:
    port = processes.free_port()
    (tmp_path / "streaming.py").write_text(STREAMING)
    arguments = [str(tmp_path / "streaming.py"), f"127.0.0.1:{port}", str(tmp_path)]
    with processes.running(tmp_path / "output", {}, *arguments) as process:
        process.until_said("Started worker-1")
        processes.until(lambda: processes.listens(port), "the port")
        whole = http.client.HTTPConnection("127.0.0.1", port, timeout=processes.PATIENCE)
        whole.request("GET", "/whole")
        response = whole.getresponse()
        assert response.read(6) == b"first "
        (tmp_path / "go").touch()
        assert response.read() == b"x" * 100_000
        whole.close()
        left = http.client.HTTPConnection("127.0.0.1", port, timeout=processes.PATIENCE)
        left.request("GET", "/left")
        begun = left.getresponse()
        begun.read(6)
        begun.close()
        left.close()
        broken = http.client.HTTPConnection("127.0.0.1", port, timeout=processes.PATIENCE)
        broken.request("GET", "/broken")
        begun = broken.getresponse()
        assert (
            begun.read() == b"first "
        )  # Granian ends it in order, so that files must show whether they are whole
        begun.close()
        broken.close()
        for name in ("whole", "left", "broken"):
            processes.until((tmp_path / name).exists, f"the end of /{name}")
        process.until_said("a response ended early")
