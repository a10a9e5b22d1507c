"""Reads the fields of other systems' records, whose types differ from release to release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from commentsvc.models import TextFormat

_TRUE = frozenset({"1", "true", "yes", "t"})
_ZONE = re.compile(r"\s+(?=(?:[+-]\d\d:?\d\d|Z|UTC)\s*\Z)")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""An earlier time is a system's way to say "never", such as the year 1."""
_COUNT = re.compile(r"(-?\d{1,12})(?:\.0+)?")
COUNT_MOST = 1_000_000
"""Likes of one comment that are taken over."""
_TIME_LONGEST = 60
_MILLISECONDS_FROM = 100_000_000_000
_BLOCK = re.compile(r"\s*<(?:p|div|blockquote|pre|ul|ol|table|h[1-6])[\s>]", re.IGNORECASE)
_BREAK = re.compile(r"</p>|<br\s*/?>", re.IGNORECASE)


def text(record: Mapping[str, Any], *names: str) -> str:
    """Return the first of these fields that has a value, as text."""
    for name in names:
        value = record.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            continue
        # Halves of surrogate pairs cannot be stored.
        written = str(value).encode("utf-8", "replace").decode()
        if written.strip():
            return written
    return ""


def line(record: Mapping[str, Any], *names: str) -> str:
    """Return what `text` returns without spaces around it."""
    return text(record, *names).strip()


def flag(record: Mapping[str, Any], *names: str) -> bool:
    """Return whether one of these fields is true, also as a number or a word."""
    return any(str(record.get(name, "")).strip().lower() in _TRUE for name in names)


def count(record: Mapping[str, Any], *names: str) -> int:
    """Return the whole number in the first of these fields that has one, of either sign; 0 without."""
    written = _COUNT.fullmatch(line(record, *names))
    return max(-COUNT_MOST, min(COUNT_MOST, int(written[1]))) if written else 0


def difference(number: int) -> tuple[int, int]:
    """Return a score, which is votes for a comment less those against it, as votes of one kind."""
    return max(0, number), max(0, -number)


def nested(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object in this field; an empty one if it has none."""
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def time(value: object) -> datetime | None:
    """Return a time in UTC: of ISO 8601, without a zone in UTC, or of Unix seconds or milliseconds; None if invalid."""
    if isinstance(value, Mapping):  # LeanCloud's {"__type": "Date", "iso": "…"}, MongoDB's {"$date": …}
        value = value.get("iso", value.get("$date"))
    if isinstance(value, str) and len(value) > _TIME_LONGEST:
        return None
    try:
        if isinstance(value, str) and not re.fullmatch(r"\d{9,}(?:\.\d+)?", value.strip()):
            at = datetime.fromisoformat(_ZONE.sub("", value.strip().replace(" UTC", "Z")))
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            number = float(value)
            at = datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS_FROM else number, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return at if at >= _EARLIEST else None


def text_format(source: str) -> TextFormat:
    """Return the format of a text in a column that has both: Markdown, and HTML from an earlier import."""
    is_html = _BLOCK.match(source) or ("`" not in source and _BREAK.search(source))
    return TextFormat.HTML if is_html else TextFormat.MARKDOWN


def path(address: str) -> str:
    """Return an article's URL, or its path with the slash in front that some themes leave out; empty stays empty."""
    return address if not address or "://" in address or address.startswith(("/", "//")) else f"/{address}"
