"""Reads an archive and checks it, without a database."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, Self

from commentsvc.domain.archive import records
from commentsvc.domain.archive.parts import PARTS, SCHEMA, ArchivePart
from commentsvc.domain.archive.writing import FORMAT, MANIFEST, PartSummary, checksum
from commentsvc.errors import ArchiveError

LONGEST_LINE = 4_000_000
"""Bytes of one record; a comment has at most 100,000 characters."""
LONGEST_MANIFEST = 1_000_000
MOST_UNPACKED = 500
"""How many times its packed size a part may have."""
_DAMAGED = (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError, zlib.error)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says about itself, checked."""

    schema: int
    release: str
    created_at: str
    site: str | None
    """None if it has all sites."""
    parts: tuple[PartSummary, ...]
    sha256: str

    def records_of(self, part: ArchivePart) -> int:
        """Return the number of a part's records."""
        return next((summary.records for summary in self.parts if summary.file == part.file), 0)


class ArchiveFile:
    """An archive that is open for reading; its methods raise ArchiveError."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except _DAMAGED:
            raise ArchiveError(f"{path} cannot be read, or is not a whole archive.") from None
        try:
            self.manifest = _manifest(self._zip)
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def verify(self) -> None:
        """Read everything once, and compare it with the checksums."""
        for part in PARTS:
            for _ in self.records(part):
                pass

    def records(self, part: ArchivePart) -> Iterator[dict[str, Any]]:
        """Yield a part's records as JSON has them, none for a part that it lacks; at their end checks the sum."""
        summary = next((one for one in self.manifest.parts if one.file == part.file), None)
        if summary is None:
            return
        digest, count = hashlib.sha256(), 0
        try:
            with self._zip.open(part.file) as stream:
                # Its own `readline` with a limit is ten times as slow.
                for data in _lines(io.BufferedReader(stream, 65_536), summary):
                    digest.update(data)
                    count += 1
                    yield _parsed(data, part)
        except _DAMAGED:
            raise ArchiveError(f"{part.file} is damaged: it cannot be unpacked.") from None
        if (digest.hexdigest(), count) != (summary.sha256, summary.records):
            raise ArchiveError(f"{part.file} is damaged: its content is not what the manifest says.")


def _lines(stream: Any, summary: PartSummary) -> Iterator[bytes]:
    left = summary.bytes
    while data := stream.readline(LONGEST_LINE + 1):
        left -= len(data)
        if left < 0 or len(data) > LONGEST_LINE:
            raise ArchiveError(f"{summary.file} is larger than the manifest says, or has an endless line.")
        yield data


def _parsed(data: bytes, part: ArchivePart) -> dict[str, Any]:
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        raise ArchiveError(f"{part.file} is damaged: a line is not JSON.") from None
    if not isinstance(record, dict):
        raise ArchiveError(f"{part.file} is damaged: a line is not a record.")
    records.decoded(part, record)
    return record


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        with archive.open(MANIFEST) as stream:
            content = json.loads(_limited(stream))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ArchiveError("The file is no archive of this service.")
        schema = content["schema"]
        if type(schema) is not int or schema < 1:
            raise ValueError
        if schema > SCHEMA:
            raise ArchiveError(
                f"The archive has the schema {schema}, and this release reads up to {SCHEMA}: "
                f"update the service to {content.get('release')} or newer first."
            )
        manifest = _checked(content)
    except KeyError:
        raise ArchiveError("The file is no archive of this service, or its manifest is missing.") from None
    except (*_DAMAGED, TypeError, RecursionError):
        raise ArchiveError("The archive's manifest is damaged.") from None
    if checksum(manifest.schema, manifest.site, manifest.parts) != manifest.sha256:
        raise ArchiveError("The archive's manifest is damaged: the checksum over all does not fit.")
    _require_reasonable(archive, manifest)
    return manifest


def _limited(stream: BinaryIO | Any) -> bytes:
    data: bytes = stream.read(LONGEST_MANIFEST + 1)
    if len(data) > LONGEST_MANIFEST:
        raise ValueError
    return data


def _checked(content: dict[str, Any]) -> Manifest:
    names = [field.name for field in fields(PartSummary)]
    parts = tuple(PartSummary(**{name: part[name] for name in names}) for part in content["parts"])
    if not all(type(part.records) is int and type(part.bytes) is int for part in parts):
        raise ValueError
    site = content["site"]
    if not isinstance(site, str | None):
        raise ValueError
    return Manifest(
        content["schema"],
        str(content["release"]),
        str(content["created_at"]),
        site,
        parts,
        str(content["sha256"]),
    )


def _require_reasonable(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Refuse files that unpack to far more than they are, and files that are not of an archive."""
    listed = [part.file for part in manifest.parts]
    known = {part.file for part in PARTS}
    if len(set(listed)) != len(listed) or not set(listed) <= known:
        raise ArchiveError("The archive has parts that this release does not know.")
    entries = archive.infolist()
    if sorted(entry.filename for entry in entries) != sorted([*listed, MANIFEST]):
        raise ArchiveError("The archive is not whole, or has files that do not belong to it.")
    sizes = {part.file: part.bytes for part in manifest.parts}
    for entry in entries:
        if entry.filename != MANIFEST and entry.file_size != sizes[entry.filename]:
            raise ArchiveError(f"{entry.filename} is damaged: its size is not what the manifest says.")
        if entry.file_size > MOST_UNPACKED * entry.compress_size + LONGEST_MANIFEST:
            raise ArchiveError(f"{entry.filename} would unpack to far more than an archive has.")
