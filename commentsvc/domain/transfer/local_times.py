"""Reads the times of systems that write them twice, in UTC and in the website's own time zone, or only once."""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import UTC, datetime, timedelta

ZONE_UNKNOWN = "with a time whose zone the file does not tell, which is taken as UTC"
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ]+(\d\d:\d\d(?::\d\d)?)(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?",
    re.IGNORECASE,
)
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Earlier times are placeholders, such as the zero of Unix time."""
_QUARTER = timedelta(minutes=15)
_LARGEST_OFFSET = timedelta(hours=14)


class LocalTimes:
    """The website's time zone, as learned from times that the file has in both forms."""

    def __init__(self, latest: datetime) -> None:
        """`latest` is the current time: a later one is an error of the file."""
        self._latest = latest + timedelta(days=2)
        self._days: list[int] = []
        self._offsets: dict[int, timedelta] = {}
        """The offset from UTC on each day of `_days`."""

    def learn(self, utc: str, local: str) -> None:
        """Remember the offset between two forms of one time, if both are valid."""
        both = _read(utc), _read(local)
        if both[0] is None or both[1] is None or not self._is_credible(both[0]):
            return
        offset = both[1] - both[0]
        if offset % _QUARTER or abs(offset) > _LARGEST_OFFSET:
            return
        day = both[1].toordinal()
        if day not in self._offsets:
            self._days.insert(bisect_left(self._days, day), day)
        self._offsets[day] = offset

    def read(self, utc: str, local: str) -> tuple[datetime | None, str]:
        """Return the time in UTC and a note for the report; the time is None if neither form is valid."""
        for text in (utc, local):
            match = _TIME.fullmatch(text.strip())
            time = _read(text)
            if time and (text is utc or (match and match[3])) and self._is_credible(time):
                return time, ""
        time = _read(local)
        if time is None or not self._is_credible(time):
            return None, ""
        offset = self._offset(time)
        return (time, ZONE_UNKNOWN) if offset is None else (time - offset, "")

    def _offset(self, local: datetime) -> timedelta | None:
        """Return the offset on the nearest known day."""
        day = local.toordinal()
        place = bisect_left(self._days, day)
        nearest = min(
            self._days[max(place - 1, 0) : place + 1], key=lambda known: abs(known - day), default=None
        )
        return None if nearest is None else self._offsets[nearest]

    def _is_credible(self, time: datetime) -> bool:
        return _EARLIEST <= time <= self._latest


def _read(text: str) -> datetime | None:
    """Return the time of a text; without a zone it counts as UTC. None for anything that is not a date."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    zone = (match[3] or "").upper()
    zone = "+00:00" if zone in {"", "Z", "UTC", "GMT"} else zone
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):  # "0000-00-00" and "2012-02-31"
        return None
