"""A socket with one deadline and one limit in bytes for everything received."""

from __future__ import annotations

import io
import socket
import time
from typing import TYPE_CHECKING

from commentsvc.errors import OutboundError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Deadline:
    """The time `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left; raises TimeoutError if there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class DeadlineSocket(io.RawIOBase):
    """The parts of a socket that http.client uses, with a deadline and a limit in bytes for everything read."""

    def __init__(self, sock: socket.socket, deadline: Deadline, allowance: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self._allowance = allowance

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._deadline.remaining())
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        # A socket's own timeout starts again with every byte.
        self._sock.settimeout(self._deadline.remaining())
        count = self._sock.recv_into(buffer)
        self._allowance -= count
        if self._allowance < 0:
            raise OutboundError("The server sent too much.")
        return count

    def close(self) -> None:
        """Do nothing: http.client closes its socket before the body is read; the caller closes the real one."""
