"""The files of an import: plain or compressed, in a folder, in a zip archive, or standard input.

Members of an archive are read, never extracted. There are limits on their number, on their size, and on how much larger
they are than the archive.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from commentsvc.errors import TransferError

STANDARD_INPUT = "-"
HEAD = 1 << 16
"""Bytes by which a format is recognised."""
MEMBERS_MOST = 5_000
SIZE_MOST = 16 << 30
"""Bytes of one file, unpacked."""
RATIO_MOST = 300
"""Largest ratio of a file to its compressed form; XML and JSON of comments reach about 20."""
RATIO_FROM = 16 << 20
"""A file of fewer bytes may have any ratio."""
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_ENCRYPTED = 1
_BESIDE = ("-wal", "-shm")
_PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg", ".mp4", ".pdf")
_OTHER_ARCHIVES = (b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")

Opener = Callable[[], AbstractContextManager[IO[bytes]]]
"""Opens a file at its beginning, and closes all that this takes in the end."""


@dataclass(frozen=True)
class ReadLog:
    """What a reader tells about the reading of files."""

    on_read: Callable[[int], object] = lambda _: None
    """Is called with the number of bytes just read."""
    notes: Counter[str] = field(default_factory=Counter)
    """What was repaired in the files, as phrases for the report."""


@dataclass(frozen=True)
class ImportFile:
    """A file to import, which can be read from its beginning several times."""

    name: str
    """For people: its name, with that of its archive in front."""
    opener: Opener = field(repr=False)
    size: int = 0
    """Bytes, unpacked; 0 if unknown."""
    packed: int = 0
    """Bytes of its compressed form; 0 if it has none."""
    companion: ImportFile | None = None
    """The file beside it whose name is this one's with "-wal": the newest changes of a SQLite database."""

    @contextmanager
    def open(self, on_read: Callable[[int], object] | None = None) -> Iterator[BinaryIO]:
        """Open the file, unpacked; `on_read` is called with the number of bytes just read.

        Raises TransferError if it is damaged or exceeds a limit.
        """
        try:
            with self.opener() as raw:
                limited = _LimitedStream(raw, self.name, self._most(), on_read)
                yield cast(BinaryIO, io.BufferedReader(limited, HEAD))
        except (zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, EOFError):
            raise TransferError(
                f"{self.name}: the compressed file is damaged or ends in the middle. Export again."
            ) from None
        except (NotImplementedError, RuntimeError) as error:
            raise TransferError(f"{self.name}: this kind of compression cannot be read: {error}.") from None

    def _most(self) -> int:
        """Return the number of bytes, unpacked, above which it cannot be a genuine export."""
        return min(SIZE_MOST, max(self.packed * RATIO_MOST, RATIO_FROM)) if self.packed else SIZE_MOST

    def head(self) -> bytes:
        """Return the first bytes."""
        with self.open() as file:
            return file.read(HEAD)


@contextmanager
def opened(paths: Sequence[str], standard_input: BinaryIO) -> Iterator[list[ImportFile]]:
    """Yield all files of these paths, of which "-" is standard input; raises TransferError.

    Standard input is copied to a temporary file while the files are in use, because it is read more than once.
    """
    files: list[ImportFile] = []
    with tempfile.NamedTemporaryFile(prefix="commentsvc-import-") as copy:
        for path in paths:
            if path == STANDARD_INPUT:
                shutil.copyfileobj(standard_input, copy)
                copy.flush()
                files += uploaded(Path(copy.name), "standard input")
            elif Path(path).is_dir():
                files += _in_folder(Path(path))
            else:
                files += _at(Path(path))
        yield files


def uploaded(path: Path, name: str) -> list[ImportFile]:
    """Return the files of an uploaded file, which people know by `name`; raises TransferError."""
    return list(_unpacked(name, lambda: path.open("rb"), path.stat().st_size))


def _in_folder(folder: Path) -> Iterator[ImportFile]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and _is_export(path))
    if len(paths) > MEMBERS_MOST:
        raise TransferError(f"{folder} has more than {MEMBERS_MOST:,} files. Name the exported ones.")
    for path in paths:
        yield from _at(path)


def _is_export(path: Path) -> bool:
    return not (
        path.is_symlink() or path.name.startswith(".") or path.name.lower().endswith((*_BESIDE, *_PICTURES))
    )


def _at(path: Path) -> Iterator[ImportFile]:
    wal = path.with_name(f"{path.name}-wal")
    companion = ImportFile(wal.name, lambda: wal.open("rb")) if wal.is_file() else None
    yield from _unpacked(path.name, lambda: path.open("rb"), path.stat().st_size, companion)


def _unpacked(
    name: str, opener: Opener, size: int, companion: ImportFile | None = None
) -> Iterator[ImportFile]:
    with opener() as file:
        start = file.read(8)
        if start.startswith(_GZIP):
            file.seek(-4, io.SEEK_END)
            unpacked = int.from_bytes(file.read(4), "little")
            yield ImportFile(name, lambda: _gunzipped(opener), unpacked, packed=size)
            return
    if start.startswith(_ZIP):
        yield from _members(name, opener)
    elif start.startswith(_OTHER_ARCHIVES):
        raise TransferError(f"{name}: this kind of compression is not supported. Unpack the file first.")
    else:
        yield ImportFile(name, opener, size, companion=companion)


def _members(name: str, opener: Opener) -> Iterator[ImportFile]:
    try:
        with opener() as file, zipfile.ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if _is_wanted(info)]
            if len(infos) > MEMBERS_MOST:
                raise TransferError(f"{name} has more than {MEMBERS_MOST:,} files. Unpack the exported ones.")
            if any(info.flag_bits & _ENCRYPTED for info in infos):
                raise TransferError(f"{name}: the archive has a password. Unpack it first.")
            starts = {info.filename: archive.open(info).read(len(_GZIP)) for info in infos}
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise TransferError(f"{name}: the archive is damaged or ends in the middle. Export again.") from None
    members = {info.filename: _member(name, opener, info, starts[info.filename] == _GZIP) for info in infos}
    for path, member in members.items():
        if not path.endswith(_BESIDE):
            yield replace(member, companion=members.get(f"{path}-wal"))


def _is_wanted(info: zipfile.ZipInfo) -> bool:
    name = info.filename
    is_hidden = name.rpartition("/")[2].startswith(".") or name.startswith("__MACOSX/")
    return not (info.is_dir() or is_hidden or name.lower().endswith(_PICTURES))


def _member(name: str, opener: Opener, info: zipfile.ZipInfo, is_gzip: bool) -> ImportFile:
    @contextmanager
    def plain() -> Iterator[IO[bytes]]:
        with opener() as file, zipfile.ZipFile(file) as archive, archive.open(info) as member:
            yield member

    label = f"{name}/{info.filename}"
    if is_gzip:
        return ImportFile(label, lambda: _gunzipped(plain), packed=info.compress_size)
    return ImportFile(label, plain, info.file_size, info.compress_size)


@contextmanager
def _gunzipped(opener: Opener) -> Iterator[IO[bytes]]:
    with opener() as packed, gzip.GzipFile(fileobj=packed, mode="rb") as file:
        yield cast(IO[bytes], file)


class _LimitedStream(io.RawIOBase):
    """Counts what is read, and raises TransferError after `most` bytes."""

    def __init__(
        self, file: IO[bytes], name: str, most: int, on_read: Callable[[int], object] | None
    ) -> None:
        super().__init__()
        self._file, self._name, self._on_read = file, name, on_read
        self._most = most
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self._read += len(chunk)
        if self._read > self._most:
            raise TransferError(
                f"{self._name}: the file is larger than an export can be: more than {self._most:,} bytes unpacked."
            )
        if self._on_read is not None:
            self._on_read(len(chunk))
        return len(chunk)
