"""The production server, as it runs in production."""

from __future__ import annotations

import http.client
import inspect
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import granian.server.mp
import pytest

from commentsvc.errors import BadAddressError
from commentsvc.serving import access_log, server
from commentsvc.serving.server import Bind
from tests.conftest import environment
from tests.support import processes
from tests.support.processes import Process

WITHOUT_FORCE = server.FINISH_WITHIN / 2
"""Seconds in which an idle server has ended; later its workers would be killed."""
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def port() -> int:
    return processes.free_port()


@pytest.fixture(scope="module")
def served(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """`commentsvc serve` with a data directory in which there is nothing yet."""
    folder = tmp_path_factory.mktemp("served")
    variables = environment(folder / "data", COMMENTSVC_LOG_LEVEL="INFO")
    arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}"]
    with processes.running(folder / "output", variables, *arguments) as process:
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        yield process


def ask(port: int, request: bytes) -> bytes:
    """Return what the server answers to these very bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def test_it_says_what_it_does_at_the_start(served: Process, port: int) -> None:
    output = served.said()
    assert "the database was brought up to date" in output
    assert f"serving http://127.0.0.1:8600 at http://127.0.0.1:{port}" in output


HOST = b"Host: 127.0.0.1\r\nConnection: close\r\n\r\n"
OURS = b"Origin: http://127.0.0.1:8600\r\n"
FORM = OURS + b"Content-Type: application/x-www-form-urlencoded\r\n"
STRANGE = {
    "percent without digits": b"GET /%zz HTTP/1.1\r\n" + HOST,
    "path in no encoding": b"GET /%ff%fe HTTP/1.1\r\n" + HOST,
    "query in no encoding": b"GET /embed?url=%ff%fe HTTP/1.1\r\n" + HOST,
    "query of percents": b"GET /embed?url=%zz&x=% HTTP/1.1\r\n" + HOST,
    "counts of nonsense": b"GET /counts?url=%ff%00&url=http://[ HTTP/1.1\r\n" + HOST,
    "NUL in the path": b"GET /a%00b HTTP/1.1\r\n" + HOST,
    "NUL in the query": b"GET /embed?url=http://localhost/%00 HTTP/1.1\r\n" + HOST,
    "NUL in a file's name": b"GET /static/x/%00 HTTP/1.1\r\n" + HOST,
    "NUL, not encoded": b"GET /a\0b HTTP/1.1\r\n" + HOST,
    "eight bits": b"GET /\xff\xc3 HTTP/1.1\r\n" + HOST,
    "half a character": b"GET /embed?url=http://localhost/&id=%ed%a0%80 HTTP/1.1\r\n" + HOST,
    "out of the folder": b"GET /static/x/..%2f..%2fmodels.py HTTP/1.1\r\n" + HOST,
    "long path": b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n" + HOST,
    "long query": b"GET /embed?url=http://localhost/" + b"a" * 60_000 + b" HTTP/1.1\r\n" + HOST,
    "too long query": b"GET /embed?url=http://localhost/" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST,
    "HEAD": b"HEAD /healthz HTTP/1.1\r\n" + HOST,
    "OPTIONS": b"OPTIONS /embed HTTP/1.1\r\n" + HOST,
    "OPTIONS for all": b"OPTIONS * HTTP/1.1\r\n" + HOST,
    "CONNECT": b"CONNECT elsewhere:1 HTTP/1.1\r\n" + HOST,
    "unknown method": b"FROB /embed HTTP/1.1\r\n" + HOST,
    "whole URL": b"GET http://127.0.0.1/healthz HTTP/1.1\r\n" + HOST,
    "no host": b"GET /admin HTTP/1.1\r\nConnection: close\r\n\r\n",
    "strange host": b"GET /admin HTTP/1.1\r\nHost: a b[\r\nConnection: close\r\n\r\n",
    "HTTP/1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
    "no number as length": b"POST /embed/comments HTTP/1.1\r\nContent-Length: abc\r\n" + HOST,
    "negative length": b"POST /embed/comments HTTP/1.1\r\nContent-Length: -5\r\n" + HOST,
    "two lengths": b"POST /embed/comments HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n"
    + HOST
    + b"a=b",
    "great length": b"POST /embed/comments HTTP/1.1\r\nContent-Length: 99999999999\r\n" + FORM + HOST,
    "NUL in a form": b"POST /embed/comments HTTP/1.1\r\nContent-Length: 9\r\n" + FORM + HOST + b"url=%00%0",
    "form in no encoding": b"POST /embed/comments HTTP/1.1\r\nContent-Length: 10\r\n"
    + FORM
    + HOST
    + b"url=%ff%fe",
    "form of nothing": b"POST /embed/comments HTTP/1.1\r\nContent-Length: 3\r\n"
    + OURS
    + b"Content-Type: multipart/form-data\r\n"
    + HOST
    + b"abc",
    "cookie of bytes": b"GET /admin HTTP/1.1\r\nCookie: \xff\xfe=\x01;;;=\r\n" + HOST,
    "accepts nonsense": b"GET /nope HTTP/1.1\r\nAccept: */*;q=zz,,;;=\xff\r\n" + HOST,
    "forwarded for nobody": b"POST /embed/comments HTTP/1.1\r\nX-Forwarded-For: a,,\r\n" + FORM + HOST,
    "range beyond the end": b"GET /embed.js HTTP/1.1\r\nRange: bytes=9999999-\r\n" + HOST,
    "dates that are none": b'GET /embed.js HTTP/1.1\r\nIf-Modified-Since: x\r\nIf-None-Match: "\r\n' + HOST,
    "number without end": b"GET /comment/" + b"9" * 40 + b" HTTP/1.1\r\n" + HOST,
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
}


@pytest.mark.parametrize("request_", STRANGE.values(), ids=STRANGE.keys())
def test_no_request_is_a_fault_of_the_server(served: Process, port: int, request_: bytes) -> None:
    answer = ask(port, request_)
    assert re.match(rb"HTTP/1\.[01] [234]\d\d ", answer), answer[:200]


CLOSE = b"Connection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"HTTP/1.1\r\n", 400),
        (b"HTTP/1.1\r\nHost:\r\n", 400),
        (b"HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n", 400),
        (b"HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n", 400),
        (b"HTTP/1.1\r\nHost: a b\r\n", 400),
        (b"HTTP/1.1\r\nHost: a/b\r\n", 400),
        (b"HTTP/1.1\r\nHost: me@a.example\r\n", 400),
        (b"HTTP/1.0\r\nHost: a.example\r\nHost: b.example\r\n", 400),
        (b"HTTP/1.0\r\n", 200),
        (b"HTTP/1.1\r\nHost: comments.example:443\r\n", 200),
        (b"HTTP/1.1\r\nHost: [::1]:8600\r\n", 200),
        (b"HTTP/1.1\r\nHost: my_blog\r\n", 200),
    ],
)
def test_a_request_names_one_host(served: Process, port: int, lines: bytes, status: int) -> None:
    for path in (b"/healthz", b"/embed.js"):
        answer = ask(port, b"GET " + path + b" " + lines + CLOSE)
        assert answer.split()[1] == str(status).encode(), answer[:200]


def test_senders_who_never_finish_keep_others_from_posting_only_for_a_moment(
    served: Process, port: int
) -> None:
    began = b"POST /embed/comments HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n" + FORM + b"\r\na="
    senders = [socket.create_connection(("127.0.0.1", port), timeout=processes.PATIENCE) for _ in range(16)]
    for sender in senders:
        sender.sendall(began)
    whole = b"POST /embed/comments HTTP/1.1\r\nContent-Length: 3\r\n" + FORM + HOST + b"a=b"
    processes.until(lambda: b" 503 " not in ask(port, whole).splitlines()[0], "a post that is heard")
    for sender in senders:
        answer = b""
        while part := sender.recv(65536):  # until the server closes
            answer += part
        assert re.match(rb"HTTP/1.1 (408|503) ", answer), answer
        assert b"again" in answer
        sender.close()
    served.until_said('"POST /embed/comments" 408')


def test_a_body_of_unknown_length_is_refused(served: Process, port: int) -> None:
    chunked = b"Transfer-Encoding: chunked\r\n" + FORM + HOST + b"3\r\na=b\r\n0\r\n\r\n"
    assert b" 411 " in ask(port, b"POST /embed/comments HTTP/1.1\r\n" + chunked).splitlines()[0]


def test_a_body_too_large_is_refused_before_it_is_read(served: Process, port: int) -> None:
    large = b"Content-Length: 99999999999\r\n" + FORM + HOST
    assert b" 413 " in ask(port, b"POST /embed/comments HTTP/1.1\r\n" + large).splitlines()[0]


def test_the_access_log_has_no_address_no_query_and_no_secret(served: Process, port: int) -> None:
    processes.status(port, "/embed?url=http://private.example/")
    processes.status(port, "/admin/sign-in/0123456789abcdef?x=y")
    processes.status(port, "/admin/invite/0123456789abcdef")
    processes.status(port, "/login/deletion/0123456789abcdef")
    processes.status(port, "/last%0a%1b[31mline")
    served.until_said('"GET /embed" 404')  # the workers' lines come in no order
    served.until_said("/sign-in/")
    served.until_said("/invite/")
    served.until_said("/deletion/")
    output = served.until_said("/last")
    assert re.search(r'^[\d-]+ [\d:]+ [+\d]+ "GET /embed" 404 [\d.]+ ms$', output, re.MULTILINE)
    assert '"GET /admin/sign-in/…"' in output
    assert '"GET /admin/invite/…"' in output
    assert '"GET /login/deletion/…"' in output
    assert r'"GET /last\x0a\x1b[31mline"' in output
    lines = [line for line in output.splitlines() if '"GET ' in line]
    assert not any("127.0.0.1" in line or "private" in line or "0123456789" in line for line in lines)


def test_a_second_server_is_not_let_in_at_the_same_address(
    served: Process, port: int, tmp_path: Path
) -> None:
    variables = environment(tmp_path / "data")
    arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}"]
    with processes.running(tmp_path / "output", variables, *arguments) as second:
        assert second.child.wait(processes.PATIENCE) == 1
    assert second.said() == f"Error: Cannot listen at 127.0.0.1:{port}: Address already in use.\n"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl+C"])
def test_it_stops_in_order(how: int, tmp_path: Path) -> None:
    port = processes.free_port()
    arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}"]
    with processes.running(tmp_path / "output", environment(tmp_path / "data"), *arguments) as process:
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        process.send(how)
        assert process.child.wait(WITHOUT_FORCE) == 0
    assert "Traceback" not in process.said()
    assert "ERROR" not in process.said()
    assert processes.status(port, "/healthz") == 0


def test_only_requests_are_told_on_standard_output(tmp_path: Path) -> None:
    port = processes.free_port()
    command = [sys.executable, "-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}"]
    variables = os.environ | environment(tmp_path / "data", COMMENTSVC_LOG_LEVEL="INFO")
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        child = subprocess.Popen(command, env=variables, stdout=out, stderr=err)
        try:
            processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        finally:
            child.terminate()
            child.wait(processes.PATIENCE)
    requests, rest = (tmp_path / "out").read_text(), (tmp_path / "err").read_text()
    assert all('"GET /healthz" 200' in line for line in requests.splitlines())
    assert requests
    assert " server: " in rest
    assert "alembic" not in rest


SLOW = """
import sys, time
from pathlib import Path
from commentsvc.serving import server
from commentsvc.serving.wsgi_bridge import DeferredResponse

folder = Path(sys.argv[2])

def app(environ, start):
    def answer():
        (folder / "begun").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
        start("200 OK", [("Content-Length", "4")])
        return [b"done"]
    return answer() if environ["PATH_INFO"] == "/now" else DeferredResponse(answer)

def load():
    return app

if __name__ == "__main__":
    server.FINISH_WITHIN = int(sys.argv[3])
    server.serve(load, server.Bind.read(sys.argv[1]), workers=2)
"""


@pytest.mark.parametrize("path", ["/now", "/later"])
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl+C"])
def test_a_request_under_way_is_finished_when_it_is_told_to_stop(how: int, path: str, tmp_path: Path) -> None:
    port = processes.free_port()
    (tmp_path / "slow.py").write_text(SLOW)
    answers: list[bytes] = []

    def get() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=processes.PATIENCE)
        connection.request("GET", path)
        answers.append(connection.getresponse().read())
        connection.close()

    arguments = [str(tmp_path / "slow.py"), f"127.0.0.1:{port}", str(tmp_path), str(server.FINISH_WITHIN)]
    with processes.running(tmp_path / "output", {}, *arguments) as process:
        process.until_said("Started worker-1")
        process.until_said("Started worker-2")
        processes.until(lambda: processes.listens(port), "the port")  # it says so a moment before it listens
        reader = threading.Thread(target=get)
        reader.start()
        processes.until((tmp_path / "begun").exists, "the request to begin")
        process.send(how)
        process.until_said("Stopping worker-1")
        assert process.child.poll() is None
        (tmp_path / "go").touch()
        reader.join(processes.PATIENCE)
        assert process.child.wait(processes.PATIENCE) == 0
    assert answers == [b"done"]


def test_a_worker_that_does_not_finish_in_time_is_killed(tmp_path: Path) -> None:
    port = processes.free_port()
    (tmp_path / "slow.py").write_text(SLOW)
    arguments = [str(tmp_path / "slow.py"), f"127.0.0.1:{port}", str(tmp_path), "1"]
    with processes.running(tmp_path / "output", {}, *arguments) as process:
        process.until_said("Started worker-2")
        processes.until(lambda: processes.listens(port), "the port")  # it says so a moment before it listens
        with socket.create_connection(("127.0.0.1", port), timeout=processes.PATIENCE) as reader:
            reader.sendall(b"GET /now HTTP/1.1\r\nHost: here\r\n\r\n")
            processes.until((tmp_path / "begun").exists, "the request to begin")
            process.send(signal.SIGTERM)
            assert process.child.wait(server.FINISH_WITHIN / 2) == 0
            assert reader.recv(1) == b""
    assert process.said().count("Killing worker-") == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl+C"])
def test_a_service_told_to_stop_while_it_begins_stops_in_order(how: int, tmp_path: Path) -> None:
    port = processes.free_port()
    arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}"]
    variables = environment(tmp_path / "data", COMMENTSVC_LOG_LEVEL="INFO")
    with processes.running(tmp_path / "output", variables, *arguments) as process:
        process.until_said("server: Starting")  # workers may be there, or not
        process.send(how)
        assert process.child.wait(WITHOUT_FORCE) == 0
    assert "Traceback" not in process.said()
    assert "ERROR" not in process.said()
    assert processes.status(port, "/healthz") == 0


def test_the_end_of_the_terminal_is_not_the_end_of_the_service(tmp_path: Path) -> None:
    port = processes.free_port()
    arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}"]
    with processes.running(tmp_path / "output", environment(tmp_path / "data"), *arguments) as process:
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        process.send_to_all(signal.SIGHUP)
        assert processes.status(port, "/healthz") == 200
        process.send(signal.SIGTERM)
        assert process.child.wait(processes.PATIENCE) == 0
    assert "Unexpected" not in process.said()
    assert "espawning" not in process.said()


def test_no_worker_outlives_its_parent(tmp_path: Path) -> None:
    port = processes.free_port()
    arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    with processes.running(tmp_path / "output", environment(tmp_path / "data"), *arguments) as process:
        process.until_said("Started worker-2")
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        process.send(signal.SIGKILL)
        process.child.wait(processes.PATIENCE)
        group = process.child.pid  # of all its processes

        def are_gone() -> bool:
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return True
            return False

        processes.until(are_gone, "the workers to end")
    assert processes.status(port, "/healthz") == 0


BROKEN_LATER = """
import os, sys
from pathlib import Path
from commentsvc.serving import server

folder = Path(sys.argv[2])
if os.environ.get("FULL"):
    os.dup2(os.open("/dev/full", os.O_WRONLY), 2)

def app(environ, start):
    start("200 OK", [("Content-Length", "2")])
    return [b"ok"]

def load():
    if (folder / "broken").exists():
        os._exit(1)
    (folder / f"worker-{os.getpid()}").touch()
    return app

if __name__ == "__main__":
    server.serve(load, server.Bind.read(sys.argv[1]), workers=2)
"""


@pytest.mark.parametrize(
    "variables", [{}, {"FULL": "yes"}], ids=["with a log", "with a log that cannot be written"]
)
def test_a_worker_whose_successor_ends_at_once_takes_the_service_down(
    variables: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "broken_later.py").write_text(BROKEN_LATER)
    arguments = [str(tmp_path / "broken_later.py"), f"127.0.0.1:{processes.free_port()}", str(tmp_path)]
    with processes.running(tmp_path / "output", variables, *arguments) as process:
        processes.until(lambda: len(list(tmp_path.glob("worker-*"))) == 2, "the workers")
        first, second = (int(file.name.removeprefix("worker-")) for file in tmp_path.glob("worker-*"))
        (tmp_path / "broken").touch()
        os.kill(second, signal.SIGKILL)
        assert process.child.wait(processes.PATIENCE) == 1
        assert not _is_alive(first)
    if not variables:
        assert process.said().count("ERROR server: Unexpected exit from worker-") == 2
        assert "ERROR server: Worker crash loop detected, exiting" in process.said()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_granian_has_the_private_name_that_we_replace() -> None:
    ours = "server.py replaces granian.server.mp._wsgi_call_wrap, and this Granian"
    wrap = getattr(granian.server.mp, "_wsgi_call_wrap", None)
    assert callable(wrap), f"{ours} has it no more: DeferredResponse needs another way in"
    taken = list(inspect.signature(wrap).parameters)
    assert taken == ["callback", "scope_opts", "access_log_fmt"], f"{ours} calls it with {taken}"
    spawn = inspect.unwrap(granian.server.mp.MPServer._spawn_wsgi_worker)
    assert "_wsgi_call_wrap" in spawn.__code__.co_names, f"{ours} calls it no more in a worker"
    runner = inspect.signature(wrap(lambda *_: [], {}), follow_wrapped=False)
    assert list(runner.parameters) == ["proto", "scope"], f"{ours} hands requests on as {runner}"


GARBAGE = """
import gc, sys
from commentsvc.serving import server

def app(environ, start):
    said = f"{gc.isenabled()} {gc.get_freeze_count() > 10_000}".encode()
    start("200 OK", [("Content-Length", str(len(said)))])
    return [said]

if __name__ == "__main__":
    server.serve(lambda: app, server.Bind.read(sys.argv[1]), workers=1)
"""


def test_a_worker_looks_for_garbage_but_not_among_what_was_loaded(tmp_path: Path) -> None:
    port = processes.free_port()
    (tmp_path / "garbage.py").write_text(GARBAGE)
    with processes.running(
        tmp_path / "output", {}, str(tmp_path / "garbage.py"), f"127.0.0.1:{port}"
    ) as process:
        process.until_said("Started worker-1")
        processes.until(lambda: processes.listens(port), "the port")  # it says so a moment before it listens
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=processes.PATIENCE)
        connection.request("GET", "/")
        assert connection.getresponse().read().decode() == "True True"
        connection.close()


def test_any_wsgi_server_can_run_it(tmp_path: Path) -> None:
    variables = environment(tmp_path)
    secret = variables.pop("COMMENTSVC_SECRET_KEY")
    (tmp_path / "settings.env").write_text(f"COMMENTSVC_SECRET_KEY={secret}\n")
    done = subprocess.run(
        [sys.executable, "-c", "import wsgi; print(wsgi.app.name)"],
        env={**os.environ, **variables, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("commentsvc\n", "")


@pytest.mark.parametrize(
    ("text", "bind"),
    [
        ("127.0.0.1:8600", Bind("127.0.0.1", 8600)),
        ("[::1]:8600", Bind("::1", 8600)),
    ],
)
def test_an_address_is_read_and_written_alike(text: str, bind: Bind) -> None:
    assert Bind.read(text) == bind
    assert str(bind) == text


def test_a_name_becomes_an_address() -> None:
    assert Bind.read("localhost:8600") == Bind("127.0.0.1", 8600)


@pytest.mark.parametrize(
    "text",
    ["nowhere.invalid:8600", "999.1.1.1:8600", "*:8600", f"{'a' * 70}:8600", "a..b:8600", "[::::]:8600"],
)
def test_a_name_without_an_address_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadAddressError, match="Cannot listen"):
        Bind.read(text)


def test_a_name_that_is_no_address_of_this_machine_is_refused() -> None:
    with pytest.raises(BadAddressError, match="Cannot listen"):
        Bind("192.0.2.1", 8600).require_free()


def test_the_secret_of_a_link_is_not_shown() -> None:
    assert access_log.shown_path("/admin/sign-in/abc\ndef") == "/admin/sign-in/…"


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), ValueError("closed file")])
def test_a_log_that_cannot_be_written_keeps_no_answer_back(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    class Full(StringIO):
        def write(self, _text: str) -> int:
            raise fault

    monkeypatch.setattr(sys, "stdout", Full())
    log = access_log.AccessLog(lambda _environ, _start: [b"answer"])
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/embed"}
    assert list(log(environ, lambda *_: None)) == [b"answer"]
    log.tell()


def test_answers_from_memory_are_counted_and_not_told_one_by_one() -> None:
    lines: list[str] = []

    def answering(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK" if environ["PATH_INFO"] == "/embed" else "404 NOT FOUND", [])
        if environ["PATH_INFO"] == "/embed":
            environ[access_log.FROM_MEMORY] = True
        return []

    log = access_log.AccessLog(answering, write=lines.append)
    for path in ("/embed", "/nothing", "/embed", "/embed"):
        log({"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "url=private"}, lambda *_: None)
    log.tell()
    log.tell()
    text = "".join(lines)
    assert re.fullmatch(
        r'[\d-]+ [\d:]+ \+0000 "GET /nothing" 404 [\d.]+ ms\n'
        r'[\d-]+ [\d:]+ \+0000 "GET /embed" 200 from memory, 3 times\n',
        text,
    ), text
