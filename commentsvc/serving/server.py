"""The production server; the only importer of Granian. Why it, and why so set: docs/serving.md."""

from __future__ import annotations

import gc
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from commentsvc.errors import BadAddressError
from commentsvc.serving import heap, stack, supervisor

# Granian has a heap of its own (jemalloc), four parts of it for each processor, in which its few threads leave holes:
# 6 MB a worker. With one part they answer as fast. It is read as soon as Granian is loaded.
GRANIANS_HEAP = "_RJEM_MALLOC_CONF"
os.environ.setdefault(GRANIANS_HEAP, "narenas:1")

import granian.server.mp  # noqa: E402
from granian.constants import HTTPModes, Interfaces  # noqa: E402
from granian.http import HTTP1Settings  # noqa: E402
from granian.server import MPServer  # noqa: E402

WsgiApp = Callable[..., Iterable[bytes]]

THREADS = 4
"""Requests one worker answers at the same time; more only wait for each other in Python."""
NETWORK_THREADS = 2
"""Threads of one worker that read and write what goes over the network, beside those that run Python."""
WAITING = 64
"""Connections one worker has open at most; the system keeps others waiting."""
BACKLOG = 1024
HEADERS_WITHIN_MS = 5_000
BUFFER_LARGEST = 64 * 1024
FINISH_WITHIN = 20
"""Seconds a request under way has to finish when the server is told to stop."""


@dataclass(frozen=True)
class Bind:
    """Where the server listens."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> Bind:
        """Read `HOST:PORT`, an IPv6 host in brackets; raises BadAddressError."""
        match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]\s]+)):(\d{1,5})", text)
        if not match or not 0 < int(match[3]) < 65_536:
            raise BadAddressError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8600")
        return cls(match[1] or match[2], int(match[3]))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def require_free(self) -> None:
        """Raise BadAddressError where nothing can listen here.

        Every worker opens this port for itself, so that a second server would be let in and take half the requests.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise BadAddressError(f"Cannot listen at {self}: {error.strerror or error}.") from None


def default_workers() -> int:
    """Return how many processes suit this machine."""
    return min(2, os.cpu_count() or 1)


def serve(
    load: Callable[[], WsgiApp],
    bind: Bind,
    *,
    workers: int,
    another: Sequence[str],
    access_log: bool = True,
) -> None:
    """Answer requests until SIGTERM or SIGINT; call it in the main thread, where there is no other.

    Returns in each worker, at its end. The process that called it becomes the supervisor (which says why) and does not
    come back. `load` is called once in each worker, so that each has its own database connections. `another`, with a
    number for its last word, is the command that starts a worker in the place of one that died; it calls `work`.
    Raises BadAddressError where the address is taken.
    """
    bind.require_free()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal may be closed
    signal.pthread_sigmask(signal.SIG_BLOCK, supervisor.SIGNALS)
    gc.collect()
    heap.close_holes()
    gc.freeze()  # what is loaded by now stays shared among the workers: no collection writes to it
    sys.stdout.flush()
    processes = []
    for number in range(1, workers + 1):
        process = os.fork()
        if not process:
            work(load, bind, number, access_log=access_log)
            return
        processes.append(process)
    _supervise(processes, another)


def _supervise(workers: Iterable[int], another: Sequence[str]) -> NoReturn:
    told = [str(FINISH_WITHIN), *map(str, workers), "--", *another]
    os.execv(sys.executable, [sys.executable, "-P", "-S", supervisor.__file__, *told])  # noqa: S606 - our own words


def work(load: Callable[[], WsgiApp], bind: Bind, number: int, *, access_log: bool = True) -> None:
    """Answer requests as one of the workers, until the supervisor says SIGTERM."""
    # Granian's own way around a WSGI application has it answer at once; ours is the outermost layer of the stack.
    granian.server.mp._wsgi_call_wrap = lambda app, *_: app  # type: ignore[attr-defined]
    _Worker(
        number,
        target="commentsvc",  # only a name: `load` is what is called
        address=bind.host,
        port=bind.port,
        interface=Interfaces.WSGI,
        runtime_threads=NETWORK_THREADS,
        blocking_threads=min(THREADS, 2 * (os.cpu_count() or 1) + 1),
        backpressure=WAITING,
        backlog=BACKLOG,
        http=HTTPModes.http1,
        websockets=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADERS_WITHIN_MS, keep_alive=True, max_buffer_size=BUFFER_LARGEST
        ),
        log_dictconfig=_logging(),
        log_access=False,  # we write our own
    ).serve(target_loader=partial(_load_in_worker, load, access_log), wrap_loader=False)


class _Worker(MPServer):
    """Granian with one worker, which is this process: left to itself, it would fork one and stay beside it."""

    def __init__(self, number: int, **settings: Any) -> None:
        super().__init__(**settings)
        self._number = number

    def _spawn_workers(self, spawn_target: Any, target_loader: Any) -> None:
        worker = self._spawn_worker(self._number - 1, spawn_target, target_loader)
        worker.inner.run()
        self.signal_handler_interrupt()  # type: ignore[no-untyped-call]  # nothing else is waited for


def _load_in_worker(load: Callable[[], WsgiApp], access_log: bool) -> WsgiApp:
    """Load the application in a worker that stops once, and only when its parent says so.

    Granian's handler of a signal takes a lock that the main thread may be holding when a second signal comes, as
    after Ctrl+C, which a terminal sends to parent and workers alike: the worker would hang until it is killed.
    """
    heap.share()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not the parent's, until Granian sets the worker's own
    signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGINT, signal.SIGTERM})
    threading.Thread(target=_stop_when_told, daemon=True).start()
    return stack.wrap(load(), stack.at_the_server(access_log=access_log))


def _stop_when_told() -> None:
    """Wait for the parent's signal, and call the worker's handler from this thread, which holds no lock."""
    signal.sigwait({signal.SIGTERM})
    handler = signal.getsignal(signal.SIGTERM)
    if callable(handler):
        handler(signal.SIGTERM, None)
    else:
        os._exit(0)  # the application was still loading; no request has been taken


def _logging() -> dict[str, Any]:
    stderr = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "line"}
    return {
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s server: %(message)s"}},
        "handlers": {"server": stderr},
        "loggers": {"_granian": {"handlers": ["server"], "level": "INFO", "propagate": False}},
    }
