"""Streams of bytes for the files of an import: members of archives, parts of files, limits."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO

from commentsvc.errors import TransferError


class GzipStream(gzip.GzipFile):
    """Unpacks a stream, which it closes, too."""

    def __init__(self, packed: BinaryIO) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._packed = packed

    def close(self) -> None:
        super().close()
        self._packed.close()


class ArchiveMember(io.RawIOBase):
    """A member of an archive; closing it closes the archive."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        super().__init__()
        self._archive = archive
        self._file = archive.open(info)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
            file = self._archive.fp
            self._archive.close()
            if file is not None:  # the archive was given a file, so it leaves it open
                file.close()
        super().close()


class Part(io.RawIOBase):
    """Reads a file that others read, too, from its beginning to `size`."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__()
        self._file, self._size, self._position = file, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._position)
        chunk = self._file.read(max(min(len(buffer), self._size - self._position), 0))
        buffer[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)


class LimitedStream(io.RawIOBase):
    """Counts what is read, and raises TransferError after `most` bytes. It leaves the stream below it open."""

    def __init__(self, file: BinaryIO, name: str, most: int, on_read: Callable[[int], object] | None) -> None:
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
