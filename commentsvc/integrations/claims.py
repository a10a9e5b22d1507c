"""Validates claims about a person, from websites' tokens, login providers and the command line.

The rules for names are in domain/fields.py.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

SUBJECT_LONGEST = 300
_TEXT_LONGEST = 500
_INTEGER_BITS = 1000
"""Slightly more than SUBJECT_LONGEST digits need; Python is slow to print longer integers, or refuses to."""
# PostgreSQL cannot store NUL, and no encoding can represent a lone surrogate.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def subject(value: object) -> str:
    """Return another party's id of a person, a text or an integer, unchanged.

    Raises ValueError for other types, ids longer than SUBJECT_LONGEST and invisible characters.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _INTEGER_BITS:
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("not a text or a number")
    if len(value) > SUBJECT_LONGEST or not value.isprintable():
        raise ValueError("too long, or with invisible characters")
    return value


def text(value: object) -> str | None:
    """Return a text in storable form, cut at 500 characters; None if it is not a text or is empty."""
    return (_UNSTORABLE.sub("", value).strip()[:_TEXT_LONGEST] or None) if isinstance(value, str) else None


def web_address(value: object) -> str | None:
    """Return an http or https URL; None for anything else."""
    address = text(value)
    if not address or not address.isprintable():
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme in {"http", "https"} and parts.hostname else None
