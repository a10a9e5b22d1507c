"""The production server; the only importer of Granian. docs/serving.md explains the choice and its settings."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from wsgiref.types import WSGIApplication

import granian.server.mp
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server import MPServer

from commentsvc import logs
from commentsvc.errors import BadAddressError
from commentsvc.serving import stack, unix_socket
from commentsvc.serving.unix_socket import UnixSocket

THREADS = 4
"""Requests that one worker answers at the same time; more would only compete for Python's interpreter lock."""
NETWORK_THREADS = 2
"""Threads of one worker for network I/O, in addition to those that run Python."""
WAITING = 64
"""Open connections per worker; the kernel queues further ones."""
BACKLOG = 1024
HEADERS_WITHIN_MS = 5_000
BUFFER_LARGEST = 64 * 1024
FINISH_WITHIN = 20
"""Seconds that running requests have to finish after a stop signal."""
STOP = frozenset({signal.SIGINT, signal.SIGTERM})

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bind:
    """The address that the server listens on."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> Bind:
        """Parse `HOST:PORT`, with an IPv6 host in brackets; raises BadAddressError.

        A host name becomes one of its addresses, because Granian takes only those.
        """
        match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]\s]+)):(\d{1,5})", text)
        if not match or not 0 < int(match[3]) < 65_536:
            raise BadAddressError(
                f"{text!r} is not HOST:PORT, such as 127.0.0.1:8600 or [::1]:8600, nor unix:/PATH"
            )
        return cls(_address_of(match[1] or match[2]), int(match[3]))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The address with its scheme, for people."""
        return f"http://{self}"

    def require_free(self) -> None:
        """Raise BadAddressError if we cannot listen here.

        Every worker opens the port itself with SO_REUSEPORT, so a second server would start without an error and
        get half the requests.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise BadAddressError(f"Cannot listen at {self}: {error.strerror or error}.") from None


def read_bind(text: str) -> Bind | UnixSocket:
    """Parse `HOST:PORT` or `unix:/path`; raises BadAddressError."""
    return UnixSocket.read(text) if text.startswith(unix_socket.PREFIX) else Bind.read(text)


def _address_of(host: str) -> str:
    """Return an address of a host, an IPv4 one if it has both, as in the examples for proxies."""
    try:
        candidates = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BadAddressError(f"Cannot listen at {host!r}: no address of this host is known.") from None
    families = (socket.AF_INET, socket.AF_INET6)
    return str(min(candidates, key=lambda candidate: families.index(candidate[0]))[4][0])


def default_workers() -> int:
    """Return the default number of worker processes for this machine."""
    return min(2, os.cpu_count() or 1)


def serve(
    load: Callable[[], WSGIApplication],
    bind: Bind | UnixSocket,
    *,
    workers: int,
    access_log: bool = True,
    log_format: str = "text",
) -> None:
    """Answer requests until SIGTERM or SIGINT; call it in the main thread, before any other thread starts.

    `load` is called once in each worker, so that each has its own database connections. A worker that dies is
    replaced; one that dies again at once ends the service with exit code 1. Raises BadAddressError if the address
    is in use.
    """
    bind.require_free()
    # A signal stays pending until the thread that handles it runs, here and in each forked worker.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)
    # Forked workers share the modules loaded by now; other start methods (the default of newer Pythons) load them anew.
    multiprocessing.set_start_method("fork", force=True)
    gc.collect()
    gc.freeze()  # so that garbage collection in a worker does not write to, and so copy, shared memory
    # Granian's own WSGI wrapper answers in the calling thread; our WsgiBridge, the outermost layer, replaces it.
    granian.server.mp._wsgi_call_wrap = lambda app, *_: app  # type: ignore[attr-defined]
    server = MPServer(
        target="commentsvc",  # only a name: `load` is what is called
        **_listening_at(bind),
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
        log_dictconfig=_logging(log_format),
        log_access=False,  # AccessLog writes it
    )
    server.on_startup(_take_signals)  # after Granian has set its handlers, before it forks
    server.serve(target_loader=partial(_load_in_worker, load, access_log, log_format), wrap_loader=False)


def _listening_at(bind: Bind | UnixSocket) -> dict[str, Any]:
    """Return Granian's arguments for an address."""
    if isinstance(bind, UnixSocket):
        return {"uds": bind.path, "uds_permissions": unix_socket.MODE}
    return {"address": bind.host, "port": bind.port}


def _take_signals() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal may be closed
    threading.Thread(target=_stop_when_told, args=(STOP,), daemon=True).start()


def _load_in_worker(
    load: Callable[[], WSGIApplication], access_log: bool, log_format: str
) -> WSGIApplication:
    """Load the application in a worker, which stops only on its parent's SIGTERM: Ctrl+C reaches the parent too."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not the parent's, until Granian sets the worker's
    threading.Thread(target=_stop_when_told, args=({signal.SIGTERM},), daemon=True).start()
    threading.Thread(target=_stop_without_parent, daemon=True).start()
    return stack.wrap(load(), stack.at_the_server(access_log=access_log, log_format=log_format))


def _stop_when_told(signals: Iterable[signal.Signals]) -> None:
    """Wait for a signal, and call Granian's handler from this thread, which holds no lock.

    The handler takes a lock that the main thread may hold when the signal arrives, as after Ctrl+C, which a terminal
    sends to the parent and the workers: the process would hang until it is killed.
    """
    signal.sigwait(signals)
    handler = signal.getsignal(signal.SIGTERM)
    if callable(handler):
        handler(signal.SIGTERM, None)
    else:
        os._exit(0)  # the application is still loading, so no request is running


def _stop_without_parent() -> None:
    """Stop this worker when its parent is gone, which may have been killed: nobody else could stop it.

    A pipe that the parent holds open says so. The workers that were forked later hold it open too, so they stop
    first, the latest before the others.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    parent.join()
    log.error("the parent process is gone: stopping")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(FINISH_WITHIN)
    os._exit(1)  # as the parent would have done


def _logging(log_format: str) -> dict[str, Any]:
    stderr = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "line"}
    return {
        "formatters": {"line": logs.formatter(log_format, "server")},
        "handlers": {"server": stderr},
        "loggers": {"_granian": {"handlers": ["server"], "level": "INFO", "propagate": False}},
    }
