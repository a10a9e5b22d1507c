"""Reads JSON that others have written, and refuses what two programs might read in two ways."""

from __future__ import annotations

import json
from typing import Any


class StrictDecoder(json.JSONDecoder):
    """A JSON decoder that raises ValueError for duplicate names and for NaN and Infinity."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_unique, parse_constant=_no_number)

    def decode(self, s: str, *args: Any) -> Any:
        """Return the value; raises ValueError, also if it is nested too deeply."""
        try:
            return super().decode(s, *args)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def read_object(text: str | bytes) -> dict[str, Any]:
    """Return a JSON object; raises ValueError for anything else."""
    value = json.loads(text, cls=StrictDecoder)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def read_utf8(data: bytes) -> Any:
    """Return a value of any type, written in UTF-8.

    Raises ValueError, also for half of a surrogate pair, and for a number that is infinite because of its digits.
    """
    value = json.loads(data.decode(), cls=StrictDecoder)
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        raise ValueError("a name occurs twice")
    return unique


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not a number")
