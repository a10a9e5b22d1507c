"""Turns the rows of a table into the records of an archive, and back with every value checked."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Enum, LargeBinary

from commentsvc.db.session import UTCDateTime
from commentsvc.domain.archive.parts import ArchivePart
from commentsvc.domain.fields import LARGEST_ROW
from commentsvc.domain.ledger import subjects
from commentsvc.errors import ArchiveError

UID = "uid"
"""The field of a comment's record that is the same in every archive of every database."""
uid = subjects.comment_uid


def encoded(value: Any) -> Any:
    """Return a column's value for JSON."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def decoded(part: ArchivePart, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record's values as the columns store them; raises ArchiveError for one that its column cannot have.

    Fields of an archive that an earlier release did not write are missing, so that the columns get their defaults.
    """
    columns = part.table.c
    unknown = set(record) - set(part.columns) - set(part.more)
    if unknown:
        raise ArchiveError(
            f"{part.file} has fields that this release does not know: {', '.join(sorted(unknown))}"
        )
    try:
        return {name: _value(columns[name], record[name]) for name in part.columns if name in record}
    except ValueError as error:
        raise ArchiveError(f"{part.file} has a value that no archive can have: {error}") from None


def _value(column: Any, value: Any) -> Any:
    """Return one value; raises ValueError that names the column, without the value: it may be somebody's text."""
    kind = column.type
    if value is None:
        if column.nullable:
            return None
        raise ValueError(f"{column.name} is empty")
    if isinstance(kind, JSON):
        return value
    try:
        if isinstance(kind, UTCDateTime):
            return _time(value)
        if isinstance(kind, LargeBinary):
            return base64.b64decode(value, validate=True)
        if isinstance(kind, Enum):
            return kind.enum_class(value) if kind.enum_class else value
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise ValueError(f"{column.name} cannot be read") from None
    return _plain(column, value)


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _plain(column: Any, value: Any) -> Any:
    expected = column.type.python_type
    if expected is float and type(value) is int:
        return float(value)
    if type(value) is not expected:
        raise ValueError(f"{column.name} is not of the type {expected.__name__}")
    if expected is int and not -LARGEST_ROW <= value <= LARGEST_ROW:
        raise ValueError(f"{column.name} is too large")
    if expected is str:
        longest = getattr(column.type, "length", None)
        if "\0" in value or (longest is not None and len(value) > longest):
            raise ValueError(f"{column.name} is too long, or has a NUL character")
    return value
