"""Writes an archive as a stream, in constant memory."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_snapshot
from commentsvc.domain.archive import records, scopes
from commentsvc.domain.archive.parts import PARTS, SCHEMA, ArchivePart, part_of
from commentsvc.models import Action, Comment, Site, Subscription, Suppression

FORMAT = "commentsvc archive"
MANIFEST = "manifest.json"
BATCH = 500
"""Rows that are read and written at once."""
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the same content is the same file, whenever it is written


@dataclass(frozen=True, slots=True)
class PartSummary:
    """A part as the manifest describes it."""

    file: str
    records: int
    bytes: int
    """Of the unpacked file."""
    sha256: str


class _Pieces:
    """A write-only file; `taken` returns and removes what was written since its last call."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: whoever takes the pieces writes them."""

    def taken(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


def pieces(session: Session, site: Site | None, *, at: datetime) -> Iterator[bytes]:
    """Yield an archive of a site, or of the whole service, piece by piece. It shows the database at one moment."""
    site_id, name = (None, None) if site is None else (site.id, site.name)
    begin_snapshot(session)
    output = _Pieces()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        summaries: list[PartSummary] = []
        for part in PARTS:
            summary = yield from _part(session, archive, output, part, site_id)
            summaries.append(summary)
        manifest = {
            "format": FORMAT,
            "schema": SCHEMA,
            "release": version("commentsvc"),
            "created_at": records.encoded(at),
            "site": name,
            "parts": [asdict(summary) for summary in summaries],
            "sha256": checksum(SCHEMA, name, summaries),
        }
        archive.writestr(_entry(MANIFEST), json.dumps(manifest, indent=1, ensure_ascii=False))
    yield output.taken()
    session.rollback()


def checksum(schema: int, site: str | None, summaries: Sequence[PartSummary]) -> str:
    """Return the checksum over a whole archive, except for the time and the release that wrote it."""
    whole = [schema, site, [list(asdict(summary).values()) for summary in summaries]]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def line(record: Mapping[str, Any]) -> bytes:
    """Return a record as a line of a part."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _NO_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _part(
    session: Session, archive: zipfile.ZipFile, output: _Pieces, part: ArchivePart, site_id: int | None
) -> Generator[bytes, None, PartSummary]:
    """Write one part; return its summary."""
    digest, count, size = hashlib.sha256(), 0, 0
    with archive.open(_entry(part.file), "w", force_zip64=True) as stream:
        for batch in _rows(session, part, site_id).partitions(BATCH):
            data = b"".join(line(_record(part, row)) for row in batch)
            digest.update(data)
            stream.write(data)
            count, size = count + len(batch), size + len(data)
            yield output.taken()
    return PartSummary(part.file, count, size, digest.hexdigest())


def _rows(session: Session, part: ArchivePart, site_id: int | None) -> Any:
    columns = part.table.c
    query = select(*(columns[name] for name in part.columns)).where(*scopes.of_site(part, site_id))
    if part.model is Suppression:  # the address, where a subscription still has it: see `_record`
        address = select(Subscription.address).where(Subscription.address_hash == Suppression.address_hash)
        own = scopes.of_site(part_of("subscription"), site_id)  # another site's owner must not learn it
        known = address.where(Subscription.address.is_not(None), *own).limit(1).scalar_subquery()
        query = query.add_columns(known.label("address"))
    query = query.order_by(*part.table.primary_key)
    return session.execute(query, execution_options={"yield_per": BATCH})


def _record(part: ArchivePart, row: Row[Any]) -> dict[str, Any]:
    record = {name: records.encoded(value) for name, value in row._mapping.items()}
    if part.model is Comment:
        record[records.UID] = records.uid(row.id, row.created_at, row.transfer_key)
    if part.model is Action and "retries" in record["facts"]:  # tokens of forms, for undoing a merge
        record["facts"] = {**record["facts"], "retries": []}
    if record.get("address"):
        # The hash has a key of this database, which is in no archive: the next one makes its own from the address.
        del record["address_hash"]
    return record
