"""Cursors: the position between two pages of a thread, as text for a URL."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from commentsvc.errors import BadAddressError

_CURSOR = re.compile(r"(-?[0-9]{1,17})-([0-9]{1,18})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def format_cursor(at: datetime, number: int) -> str:
    """Return the cursor of a row from its time and id."""
    return f"{(at - _EPOCH) // timedelta(microseconds=1)}-{number}"


def parse(text: str) -> tuple[datetime, int]:
    """Return time and id of a cursor's row; raises BadAddressError."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise BadAddressError("This link to further comments is damaged.")
    try:
        return _EPOCH + timedelta(microseconds=int(match[1])), int(match[2])
    except OverflowError:
        raise BadAddressError("This link to further comments is damaged.") from None
