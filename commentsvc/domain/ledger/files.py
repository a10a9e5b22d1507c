"""The file of the ledger, which only grows, and the file of its key; both are private."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from commentsvc import durable_files
from commentsvc.domain.ledger import subjects
from commentsvc.models import LedgerKind

LEDGER, KEY = ".ledger", ".key"
_PREFIX = "commentsvc-"
_directories: WeakKeyDictionary[Engine, Path] = WeakKeyDictionary()

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the ledger; the fields are those of `LedgerEntry`."""

    key: str
    at: datetime
    kind: LedgerKind
    subject: str
    site: str | None = None
    detail: str | None = None

    def as_row(self) -> dict[str, Any]:
        """Return the values of its row."""
        return asdict(self)

    def as_line(self) -> bytes:
        """Return its line in the file."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        return json.dumps({**asdict(self), "at": at}).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Entry | None:
        """Read a line; None if it was not written to its end."""
        try:
            fields = json.loads(line)
            at = datetime.fromisoformat(fields.pop("at"))
            return cls(at=at, kind=LedgerKind(fields.pop("kind")), **fields)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


def write_to(engine: Engine, directory: Path) -> None:
    """Let commits of this engine append to the ledger in a directory."""
    _directories[engine] = directory


def path_of(directory: Path, key: bytes) -> Path:
    """Return the file of the ledger of the database with this key of hashes."""
    return directory / f"{_PREFIX}{subjects.ledger_id(key)}{LEDGER}"


def append_committed(engine: Engine, key: bytes, entries: list[Entry]) -> None:
    """Append what was committed; an error is logged: the erasure is done, and `upkeep.bring_up_to_date` tries again."""
    directory = _directories.get(engine)
    if directory is None:
        return
    try:
        append(directory, key, entries)
    except OSError as error:
        log.error("the ledger in %s cannot be written: %s (docs/backups.md)", directory, error.strerror)


def append(directory: Path, key: bytes, entries: Iterable[Entry], *, unless_known: bool = False) -> None:
    """Append entries, and wait until they are on disk; with `unless_known` only those that the file does not have.

    The files are created if they are missing. Raises OSError.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = path_of(directory, key)
    _require_key(path.with_suffix(KEY), key)
    is_new = not path.exists()
    with _locked(path) as descriptor:
        known = {entry.key for entry in read(path)} if unless_known else set()
        if lines := [entry.as_line() for entry in entries if entry.key not in known]:
            _write(descriptor, b"".join(lines))
    if is_new:
        durable_files.give_to_owner(path, directory)
        durable_files.sync(directory)


def read(path: Path) -> list[Entry]:
    """Return the entries of a ledger, the oldest first, each once; empty if there is no file. Raises OSError."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    entries = [entry for line in lines if line and (entry := Entry.read(line))]
    return sorted({entry.key: entry for entry in entries}.values(), key=lambda entry: entry.at)


def key_of(path: Path) -> bytes | None:
    """Return the key that is stored beside a ledger; None without one that fits."""
    try:
        key = bytes.fromhex(path.with_suffix(KEY).read_text().strip())
    except (OSError, ValueError):
        return None
    return key if path.name == path_of(path.parent, key).name else None


def in_directory(directory: Path) -> list[Path]:
    """Return the ledgers in a directory; empty if there is none."""
    return sorted(directory.glob(f"{_PREFIX}*{LEDGER}"))


def drop(directory: Path, key: bytes, *, before: datetime) -> None:
    """Leave out the entries before a time. Raises OSError."""
    path = path_of(directory, key)
    if not path.exists():
        return
    with _locked(path):
        entries = read(path)
        kept = [entry for entry in entries if entry.at >= before]
        if len(kept) < len(entries):
            _replace(path, b"".join(entry.as_line() for entry in kept))


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open a ledger for appending, and lock out other processes."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                yield descriptor
                return
        finally:
            os.close(descriptor)  # `drop` has put another file in its place: open that one


def _write(descriptor: int, data: bytes) -> None:
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        data = b"\n" + data  # a process was killed, or the disk was full, in the middle of a line
    while data:
        data = data[os.write(descriptor, data) :]
    os.fsync(descriptor)


def _require_key(path: Path, key: bytes) -> None:
    if not path.exists():
        _replace(path, f"{key.hex()}\n".encode())


def _replace(path: Path, data: bytes) -> None:
    """Put a new private file in the place of one, at once and for good."""
    with durable_files.replacing(path) as file:
        file.write(data)
        durable_files.give_to_owner(Path(file.name), path.parent)
    durable_files.sync(path.parent)
