"""A signal to all processes of a machine that something changed: a file mapped into memory, written after each commit.

Looking at it costs a few nanoseconds, so that a page kept as bytes can ask before every answer whether anything
changed. It only ever says "look again": what is true is in the database.
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
"""The first changes with whatever may concern every page; each of the others with some threads."""
_WIDTH = 8
EVERYTHING = 0


class ChangeSignal:
    """Cells that change when something does; without a file that can be mapped, heard in this process only."""

    def __init__(self, path: Path | None = None) -> None:
        self.cells = memoryview(_mapped(path) if path else bytearray(CELLS * _WIDTH)).cast("Q")

    def send(self, thread: tuple[int, str] | None = None) -> None:
        """Say that a thread, given as its site's id and its key, changed; or, for None, that anything may have."""
        self.send_cell(EVERYTHING if thread is None else cell_of(*thread))

    def send_cell(self, cell: int) -> None:
        """Ring by a cell's number."""
        self.cells[cell] = secrets.randbits(64)  # never counted up: two processes would lose a count

    def snapshot(self) -> list[int]:
        """Return what all cells say now."""
        return self.cells.tolist()


def cell_of(site_id: int, key: str) -> int:
    """Return the cell that a thread's changes are written to."""
    return 1 + zlib.crc32(f"{site_id} {key}".encode("utf-8", "surrogatepass")) % (CELLS - 1)


def _mapped(path: Path) -> mmap.mmap | bytearray:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(file).st_size < CELLS * _WIDTH:
                # Not only its length: writing to a page that the disk has no room for would end the process.
                os.write(file, bytes(CELLS * _WIDTH))
            return mmap.mmap(file, CELLS * _WIDTH)
        finally:
            os.close(file)
    except OSError as error:
        log.warning("%s cannot be mapped (%s): other processes' changes show after a second", path, error)
        return bytearray(CELLS * _WIDTH)
