"""The tables that move, and the values of their rows as both engines can store and compare them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from commentsvc.db.session import Base
from commentsvc.models.keys import HASH_KEY

LEFT_OUT: Mapping[str, str] = {
    "service_move": "that this service moves",
    "ticket": "logins that are in progress; people begin them again",
}
"""The tables that do not move, with the reason. The search index follows from the rows."""
TABLES: Sequence[Table] = (
    HASH_KEY,
    *(table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT),
)
"""In the order in which they are written: what others refer to comes first."""
BATCH = 500
"""Rows that are read and written at once."""
_ALL_DIGESTS = 2**256


@dataclass(frozen=True, slots=True)
class TableDigest:
    """What a table has in one database; equal for the same rows in any order."""

    rows: int
    digest: str
    """The sum of the SHA-256 of its rows, in 64 hexadecimal digits."""


def batches(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """Yield all rows of a table in the order of their keys; only `BATCH` of them are in memory."""
    query = select(table).order_by(*table.primary_key)
    return connection.execute(query, execution_options={"yield_per": BATCH}).partitions()


def digest_of(connection: Connection, table: Table, *, without_nul: bool) -> TableDigest:
    """Read a table and return its digest; `without_nul` compares with a copy in PostgreSQL: see `portable`."""
    total = number = 0
    for batch in batches(connection, table):
        for row in batch:
            values = portable(row._mapping, without_nul=without_nul)
            total += int.from_bytes(hashlib.sha256(_text_of(values)).digest())
        number += len(batch)
    return TableDigest(number, f"{total % _ALL_DIGESTS:064x}")


def portable(row: Mapping[Any, Any], *, without_nul: bool) -> dict[str, Any]:
    """Return the values of a row; PostgreSQL has no NUL in texts, which becomes U+FFFD, as in browsers."""
    if not without_nul:
        return dict(row)
    return {
        name: value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value
        for name, value in row.items()
    }


def _text_of(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, default=_encoded, sort_keys=True).encode()


def _encoded(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return str(value.value)
    raise TypeError(f"a column of the type {type(value).__name__} cannot be compared")
