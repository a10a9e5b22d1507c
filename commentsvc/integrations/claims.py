"""The one validator of what others say about a person: websites' tokens, login providers, an operator's command line.

A name has further rules, which are the same for whoever types one: domain/fields.py.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

SUBJECT_LONGEST = 300
_TEXT_LONGEST = 500
_INTEGER_BITS = 1000
"""Some more than SUBJECT_LONGEST digits need; Python takes long, or refuses, to write a longer one."""
# PostgreSQL stores no NUL, and no encoding has half a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictDecoder(json.JSONDecoder):
    """Reads JSON in which each name stands once and every number is one; raises ValueError for all else."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_unique, parse_constant=_no_number)

    def decode(self, s: str, *args: Any) -> Any:
        """Return the value; nesting that is too deep for the parser is a ValueError too."""
        try:
            return super().decode(s, *args)
        except RecursionError:
            raise ValueError("nested too deep") from None


def read_object(text: str | bytes) -> dict[str, Any]:
    """Return a JSON object; raises ValueError for anything else."""
    result = json.loads(text, cls=StrictDecoder)
    if not isinstance(result, dict):
        raise ValueError("not a JSON object")
    return result


def subject(value: object) -> str:
    """Return somebody's own id of a person: text or a whole number, one line, kept exactly as it came.

    Raises ValueError for what is none, or is longer than SUBJECT_LONGEST, or has characters that are not seen.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _INTEGER_BITS:
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("not a text or a number")
    if len(value) > SUBJECT_LONGEST or not value.isprintable():
        raise ValueError("too long, or with characters that are not seen")
    return value


def text(value: object) -> str | None:
    """Return a text that can be stored, cut at 500 characters; None where it is none, or nothing is left of it."""
    return (_UNSTORABLE.sub("", value).strip()[:_TEXT_LONGEST] or None) if isinstance(value, str) else None


def web_address(value: object) -> str | None:
    """Return an address of the web; None for anything else."""
    address = text(value)
    if not address or not address.isprintable():
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme in {"http", "https"} and parts.hostname else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a name stands twice")
    return result


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")
