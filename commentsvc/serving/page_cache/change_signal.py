"""The change signal between the processes of a machine: a memory-mapped file that is written after each commit.

Reading it costs a few nanoseconds, so the page cache does that before every response. It only says that a thread may
have changed; the database says whether it has.
"""

from __future__ import annotations

import logging
import mmap
import os
import secrets
import zlib
from pathlib import Path

log = logging.getLogger(__name__)

CELLS = 1024
"""The first cell is for changes that may concern every page; each of the others is for a share of the threads."""
_WIDTH = 8
EVERYTHING = 0


class ChangeSignal:
    """An array of cells. Without a file that can be mapped, only this process sees its changes."""

    def __init__(self, path: Path | None = None) -> None:
        self.cells = memoryview(_mapped(path) if path else bytearray(CELLS * _WIDTH)).cast("Q")

    def send(self, thread: tuple[int, str] | None = None) -> None:
        """Signal a change of one thread, given by its site's id and its key; None: anything may have changed."""
        self.send_cell(EVERYTHING if thread is None else cell_of(*thread))

    def send_cell(self, cell: int) -> None:
        """Signal a change of all threads of a cell."""
        self.cells[cell] = secrets.randbits(64)  # not a counter: two processes could write the same value

    def snapshot(self) -> list[int]:
        """Return the current values of all cells."""
        return self.cells.tolist()


def cell_of(site_id: int, key: str) -> int:
    """Return the number of a thread's cell."""
    return 1 + zlib.crc32(f"{site_id} {key}".encode("utf-8", "surrogatepass")) % (CELLS - 1)


def _mapped(path: Path) -> mmap.mmap | bytearray:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(file).st_size < CELLS * _WIDTH:
                # Not only ftruncate: writing to a mapped page on a full disk would kill the process (SIGBUS).
                os.write(file, bytes(CELLS * _WIDTH))
            return mmap.mmap(file, CELLS * _WIDTH)
        finally:
            os.close(file)
    except OSError as error:
        log.warning("%s cannot be mapped (%s): changes by other processes show within a second", path, error)
        return bytearray(CELLS * _WIDTH)
