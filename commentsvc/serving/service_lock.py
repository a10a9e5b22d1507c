"""A locked file in the data directory: says that a service runs with it, and at which address it listens.

`serve` warns of a second service with the same data directory, and `doctor` can say where the service listens if the
way through the proxy is broken. The kernel drops the lock with the last process that holds it, so it is never left
behind.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "serving.lock"
_LONGEST = 300


@contextmanager
def held(data_dir: Path, address: str) -> Iterator[str | None]:
    """Hold the lock, with our address in the file, and yield None; if another service holds it, yield its address.

    Workers that are forked meanwhile hold it, too. Where files cannot be locked, nothing is known: it yields None.
    """
    try:
        descriptor = os.open(data_dir / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        yield None
        return
    try:
        other = _other(descriptor)
        if other is None:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{address}\n".encode(), 0)
        yield other
    finally:
        os.close(descriptor)


def address_of_service(data_dir: Path) -> str | None:
    """Return the address at which a service with this data directory listens; None if none is known to run."""
    try:
        descriptor = os.open(data_dir / NAME, os.O_RDONLY)
    except OSError:
        return None
    try:
        return _other(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _other(descriptor: int, kind: int = fcntl.LOCK_EX) -> str | None:
    """Take the lock and return None, or return the address of who holds it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, _LONGEST, 0).decode(errors="replace").strip() or "an unknown address"
    except OSError:
        return None
    return None
