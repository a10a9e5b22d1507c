"""Cursors: the position between two pages of a thread, as text for a URL."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from commentsvc.domain.fields import ROW_PATTERN
from commentsvc.errors import BadAddressError
from commentsvc.messages import gettext

_CURSOR = re.compile(rf"(?:(-?[0-9]{{1,10}})~)?(-?[0-9]{{1,17}})-({ROW_PATTERN})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_SCORE = 2**31 - 1


class Position(NamedTuple):
    """Where a row is in an order."""

    at: datetime
    number: int
    """Its id."""
    score: int = 0
    """Only for the order by score."""


def format_cursor(at: datetime, number: int, *, score: int | None = None) -> str:
    """Return the cursor of a row from its time and id, in the order by score also from that."""
    before = "" if score is None else f"{score}~"
    return f"{before}{(at - _EPOCH) // timedelta(microseconds=1)}-{number}"


def parse(text: str) -> Position:
    """Return the position of a cursor's row; raises BadAddressError."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise BadAddressError(gettext("This link to further comments is damaged."))
    try:
        at = _EPOCH + timedelta(microseconds=int(match[2]))
    except OverflowError:
        raise BadAddressError(gettext("This link to further comments is damaged.")) from None
    return Position(at, int(match[3]), max(-_LARGEST_SCORE, min(_LARGEST_SCORE, int(match[1] or 0))))
