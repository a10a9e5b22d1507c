"""Files that must be on the disk, and that belong to the user of the service, whoever writes them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replacing(path: Path, *, mode: int = 0o600, prefix: str = "") -> Iterator[IO[bytes]]:
    """Yield a new file, which takes the place of `path` once it is whole and on the disk.

    Whoever reads `path` meanwhile, or after an error, gets the former content. A symbolic link is replaced, not
    followed. The name of the new file begins with `prefix`, or else with a dot and the name of `path`. Raises OSError.
    """
    with tempfile.NamedTemporaryFile(
        dir=path.absolute().parent, prefix=prefix or f".{path.name}.", delete=False
    ) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def sync(path: Path) -> None:
    """Wait until a file, or the names in a directory, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def give_to_owner(path: Path, directory: Path) -> None:
    """Give what root has written to the owner of the directory, or the service could not go on with it."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
