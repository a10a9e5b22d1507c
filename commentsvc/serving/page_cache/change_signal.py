"""The change signal between the processes of a machine: a small file that is written after each commit.

The page cache reads it before every response, which costs about a microsecond. It only says that a thread may have
changed; the database says whether it has. The file is read and not mapped into memory, because somebody who truncates
a mapped file, as `cp` of a backup does, kills every process that touches it (SIGBUS).
"""

from __future__ import annotations

import logging
import os
import secrets
import weakref
import zlib
from pathlib import Path

log = logging.getLogger(__name__)

CELLS = 128
"""The first cell is for changes that may concern every page; each of the others is for a share of the threads."""
EVERYTHING = 0
_WIDTH = 8
_SIZE = CELLS * _WIDTH


class ChangeSignal:
    """An array of cells. Without a file that can be written, only this process sees its changes."""

    def __init__(self, path: Path | None = None) -> None:
        self._own = bytearray(_SIZE)
        self._file = _opened(path) if path else None
        if self._file is not None:
            weakref.finalize(self, os.close, self._file).atexit = False  # other threads may still use it

    def send(self, thread: tuple[int, str] | None = None) -> None:
        """Signal a change of one thread, given by its site's id and its key; None: anything may have changed."""
        self.send_cell(EVERYTHING if thread is None else cell_of(*thread))

    def send_cell(self, cell: int) -> None:
        """Signal a change of all threads of a cell."""
        value = secrets.token_bytes(_WIDTH)  # not a counter: two processes could write the same value
        if self._file is None:
            self._own[cell * _WIDTH : (cell + 1) * _WIDTH] = value
            return
        try:
            os.pwrite(self._file, value, cell * _WIDTH)
        except OSError as error:
            log.warning("a change cannot be signalled (%s): it shows within a second", error.strerror)

    def snapshot(self) -> memoryview[int]:
        """Return the current values of all cells; 0 for those that a truncated file has no more."""
        values = bytes(self._own) if self._file is None else os.pread(self._file, _SIZE, 0)
        return memoryview(values.ljust(_SIZE, b"\0")).cast("Q")


def cell_of(site_id: int, key: str) -> int:
    """Return the number of a thread's cell."""
    return 1 + zlib.crc32(f"{site_id} {key}".encode("utf-8", "surrogatepass")) % (CELLS - 1)


def _opened(path: Path) -> int | None:
    """Return a descriptor of the file with all its cells, which keep their values."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        log.warning("%s cannot be opened (%s): changes by other processes show within a second", path, error)
        return None
    try:
        if os.fstat(file).st_size < _SIZE:
            os.write(file, bytes(_SIZE))
    except OSError as error:
        os.close(file)
        log.warning("%s cannot be written (%s): changes by other processes show within a second", path, error)
        return None
    return file
