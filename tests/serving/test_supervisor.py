"""The supervisor: what becomes of workers that end, or do not end, and what it takes itself."""

from __future__ import annotations

import inspect
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import granian._granian
import pytest
from granian.server import MPServer

from commentsvc.serving import server, supervisor
from tests.conftest import environment
from tests.support import processes
from tests.support.processes import Process

WORKERS = """
import os, signal, sys
from commentsvc.serving import supervisor

folder, patience, another = sys.argv[1], sys.argv[2], sys.argv[3:]
signal.pthread_sigmask(signal.SIG_BLOCK, supervisor.SIGNALS)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
children = []
for number in (1, 2):
    child = os.fork()
    if not child:
        if number == 2:
            signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        open(f"{folder}/worker-{number}", "w").write(str(os.getpid()))
        while True:
            signal.pause()
    children.append(str(child))
if os.environ.get("FULL"):
    os.dup2(os.open("/dev/full", os.O_WRONLY), 2)
program = [sys.executable, "-P", "-S", supervisor.__file__, patience, *children, "--", *another]
os.execv(sys.executable, program)
"""
"""Two workers under a supervisor. The first takes no notice when it is told to stop."""
ENDS_AT_ONCE = [sys.executable, "-c", "import sys; print('instead of', sys.argv[1])"]
MOST_MB = 10
PATIENCE = "1"
"""Second."""

needs_proc = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="asks the Linux kernel")


@contextmanager
def supervised(folder: Path, *another: str, **variables: str) -> Iterator[Process]:
    """Yield a supervisor whose two workers are there."""
    arguments = ["-c", WORKERS, str(folder), PATIENCE, *another]
    with processes.running(folder / "output", variables, *arguments) as process:
        processes.until(lambda: len(_numbers(folder)) == 2, "the workers")
        yield process


def _numbers(folder: Path) -> list[int]:
    files = [folder / "worker-1", folder / "worker-2"]
    return [int(file.read_text()) for file in files if file.exists() and file.read_text()]


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_does_not_finish_in_time_is_killed(tmp_path: Path) -> None:
    with supervised(tmp_path, "/bin/false") as process:
        stubborn, docile = _numbers(tmp_path)
        process.send(signal.SIGTERM)
        processes.until(lambda: not _is_alive(docile), "the one that stops when it is told to")
        assert _is_alive(stubborn)
        assert process.child.wait(processes.PATIENCE) == 0
        assert not _is_alive(stubborn)


def test_a_worker_whose_successor_ends_at_once_takes_the_service_down(tmp_path: Path) -> None:
    with supervised(tmp_path, *ENDS_AT_ONCE) as process:
        first, second = _numbers(tmp_path)
        os.kill(second, signal.SIGKILL)
        assert process.child.wait(processes.PATIENCE) == 1
        assert not _is_alive(first)
        text = process.said()
        assert text.count("ERROR server: Unexpected exit from worker-2") == 2
        assert "instead of 2" in text
        assert "ERROR server: worker-2 ends again and again: stopping" in text


def test_a_log_that_cannot_be_written_leaves_no_worker_behind(tmp_path: Path) -> None:
    with supervised(tmp_path, *ENDS_AT_ONCE, FULL="yes") as process:
        first, second = _numbers(tmp_path)
        os.kill(second, signal.SIGKILL)
        assert process.child.wait(processes.PATIENCE) == 1
        assert not _is_alive(first)


def test_a_worker_that_cannot_be_replaced_takes_the_service_down(tmp_path: Path) -> None:
    with supervised(tmp_path, str(tmp_path / "nothing")) as process:
        first, second = _numbers(tmp_path)
        os.kill(second, signal.SIGKILL)
        assert process.child.wait(processes.PATIENCE) == 1
        assert not _is_alive(first)
        assert "nothing: No such file or directory: stopping" in process.said()


def test_the_end_of_the_terminal_is_not_the_end_of_the_service(tmp_path: Path) -> None:
    port = processes.free_port()
    arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}"]
    with processes.running(tmp_path / "output", environment(tmp_path / "data"), *arguments) as process:
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        process.send_to_all(signal.SIGHUP)
        process.send(signal.SIGTERM)
        assert process.child.wait(processes.PATIENCE) == 0
    assert "Unexpected" not in process.said()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl+C"])
def test_a_service_told_to_stop_while_it_begins_stops_in_order(how: int, tmp_path: Path) -> None:
    port = processes.free_port()
    arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}"]
    variables = environment(tmp_path / "data", COMMENTSVC_LOG_LEVEL="INFO")
    with processes.running(tmp_path / "output", variables, *arguments) as process:
        process.until_said("server: Starting")  # a worker is there, the other perhaps
        process.send(how)
        assert process.child.wait(server.FINISH_WITHIN / 2) == 0
    assert "Traceback" not in process.said()
    assert "ERROR" not in process.said()
    assert processes.status(port, "/healthz") == 0


@needs_proc
def test_what_watches_over_the_workers_takes_little_memory(tmp_path: Path) -> None:
    port = processes.free_port()
    arguments = ["-m", "commentsvc", "serve", "--bind", f"127.0.0.1:{port}"]
    with processes.running(tmp_path / "output", environment(tmp_path / "data"), *arguments) as process:
        processes.until(lambda: processes.status(port, "/healthz") == 200, "/healthz")
        rollup = Path(f"/proc/{process.child.pid}/smaps_rollup").read_text()
        own = next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:"))
        assert int(own) * 1024 < MOST_MB * 1_000_000


def test_it_loads_nothing_but_what_python_has() -> None:
    assert set(vars(supervisor)) & set(sys.modules) == {"os", "signal", "sys", "time"}


def test_granian_has_what_its_worker_is_made_of() -> None:
    """A newer one that has it no more needs another `server._Worker`."""
    assert _parameters(MPServer._spawn_workers) == ["self", "spawn_target", "target_loader"]
    assert _parameters(MPServer._spawn_worker) == ["self", "idx", "target", "callback_loader"]


def test_granian_reads_how_many_parts_its_heap_is_to_have() -> None:
    assert server.GRANIANS_HEAP.encode() in Path(granian._granian.__file__).read_bytes()


def _parameters(function: object) -> list[str]:
    assert callable(function)
    return list(inspect.signature(function).parameters)
