"""A unix socket as the address that the server listens on, for a proxy on the same machine."""

from __future__ import annotations

import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from commentsvc.errors import BadAddressError

PREFIX = "unix:"
PATH_LONGEST = 107
"""Bytes of a socket's path that Linux takes."""
MODE = 0o666
"""Everybody who may enter the socket's directory may connect; the proxy has a user of its own."""


@dataclass(frozen=True)
class UnixSocket:
    """The path of a socket."""

    path: Path

    @classmethod
    def read(cls, text: str) -> UnixSocket:
        """Parse `unix:/path`; raises BadAddressError."""
        path = text.removeprefix(PREFIX)
        if not path.startswith("/") or path.endswith("/") or "\0" in path:
            raise BadAddressError(f"{text!r} is not unix:/PATH, such as unix:/run/commentsvc/socket")
        if len(os.fsencode(path)) > PATH_LONGEST:
            raise BadAddressError(f"Cannot listen at {text}: the path is longer than {PATH_LONGEST} bytes.")
        return cls(Path(path))

    def __str__(self) -> str:
        return f"{PREFIX}{self.path}"

    @property
    def url(self) -> str:
        """The address with its scheme, for people."""
        return str(self)

    def require_free(self) -> None:
        """Raise BadAddressError if we cannot listen here; remove the socket that a killed server has left."""
        directory = self.path.parent
        if not directory.is_dir():
            raise BadAddressError(f"Cannot listen at {self}: there is no directory {directory}.")
        if not os.access(directory, os.W_OK | os.X_OK):
            raise BadAddressError(
                f"Cannot listen at {self}: your user must be allowed to write in {directory}."
            )
        try:
            mode = self.path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise BadAddressError(f"Cannot listen at {self}: there is a file that is no socket.")
        if self._answers():
            raise BadAddressError(f"Cannot listen at {self}: Address already in use.")
        self.path.unlink()

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.path))
            except ConnectionRefusedError:
                return False
            except OSError as error:
                raise BadAddressError(f"Cannot listen at {self}: {error.strerror or error}.") from None
            return True
