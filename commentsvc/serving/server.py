"""The production server; the only importer of Granian. Why it, and why so set: docs/serving.md."""

from __future__ import annotations

import gc
import multiprocessing
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import granian.server.mp
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server import MPServer

from commentsvc.errors import BadAddressError
from commentsvc.serving import stack

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
STOP = frozenset({signal.SIGINT, signal.SIGTERM})
"""What tells it so."""


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
    access_log: bool = True,
) -> None:
    """Answer requests until SIGTERM or SIGINT; call it in the main thread, where there is no other.

    `load` is called once in each worker, so that each has its own database connections. A worker that dies is
    replaced; one that dies again at once ends the service with exit code 1. Raises BadAddressError where the address
    is taken.
    """
    bind.require_free()
    # A signal that comes before its taker is there waits for it, in this process and in each worker forked from it.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    # Workers share what is loaded by now; other ways of starting them (the default of newer Pythons) load it anew.
    multiprocessing.set_start_method("fork", force=True)
    gc.collect()
    gc.freeze()  # no collection in a worker writes to what it shares
    # Granian's own way around a WSGI application has it answer at once; ours is the outermost layer of the stack.
    granian.server.mp._wsgi_call_wrap = lambda app, *_: app  # type: ignore[attr-defined]
    server = MPServer(
        target="commentsvc",  # only a name: `load` is what is called
        address=bind.host,
        port=bind.port,
        interface=Interfaces.WSGI,
        workers=workers,
        runtime_threads=NETWORK_THREADS,
        blocking_threads=min(THREADS, 2 * (os.cpu_count() or 1) + 1),
        backpressure=WAITING,
        backlog=BACKLOG,
        http=HTTPModes.http1,
        websockets=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADERS_WITHIN_MS, keep_alive=True, max_buffer_size=BUFFER_LARGEST
        ),
        respawn_failed_workers=True,
        workers_kill_timeout=FINISH_WITHIN,
        log_dictconfig=_logging(),
        log_access=False,  # we write our own
    )
    server.on_startup(_take_signals)  # after Granian has set its handlers, before it forks
    server.serve(target_loader=partial(_load_in_worker, load, access_log), wrap_loader=False)


def _take_signals() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal may be closed
    threading.Thread(target=_stop_when_told, args=(STOP,), daemon=True).start()


def _load_in_worker(load: Callable[[], WsgiApp], access_log: bool) -> WsgiApp:
    """Load the application in a worker that stops once, and only when its parent says so: not by Ctrl+C itself."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not the parent's, until Granian sets the worker's own
    threading.Thread(target=_stop_when_told, args=({signal.SIGTERM},), daemon=True).start()
    return stack.wrap(load(), stack.at_the_server(access_log=access_log))


def _stop_when_told(signals: Iterable[signal.Signals]) -> None:
    """Wait for a signal, and call Granian's handler from this thread, which holds no lock.

    The handler takes a lock that the main thread may be holding when a signal comes, as after Ctrl+C, which a terminal
    sends to parent and workers alike: the process would hang until it is killed.
    """
    signal.sigwait(signals)
    handler = signal.getsignal(signal.SIGTERM)
    if callable(handler):
        handler(signal.SIGTERM, None)
    else:
        os._exit(0)  # a worker's application was still loading; no request has been taken


def _logging() -> dict[str, Any]:
    stderr = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "line"}
    return {
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s server: %(message)s"}},
        "handlers": {"server": stderr},
        "loggers": {"_granian": {"handlers": ["server"], "level": "INFO", "propagate": False}},
    }
