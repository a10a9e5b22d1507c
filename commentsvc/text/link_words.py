"""Detects links whose text is another address than the one they lead to."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from commentsvc.text.characters import is_drawn

# Full stops of all scripts, and characters that look like them.
_STOPS = str.maketrans(
    dict.fromkeys("\u3002\uff0e\uff61\u2024\u2027\u00b7\u2022\u2219\u22c5\u06d4\u0660\u06f0", ".")
)
_NAME = r"(?:[\w-]{1,63}\.){1,20}(?:[^\W\d_][\w-]{1,62}|xn--[\w-]{1,59})"
_HOST = rf"(?<![\w-])((?:{_NAME}|(?:\d{{1,3}}\.){{3}}\d{{1,3}})(?![\w-]))"
_ADDRESS = re.compile(
    rf"[a-z][a-z0-9+.-]{{0,20}}:[/\\]{{2}}([^\s/\\?#]*)[^\s]*|{_HOST}(?:[:/?#][^\s]*)?", re.IGNORECASE
)


def real_place(words: str, address: str) -> str | None:
    """Return the host or mail address that a link leads to if its text names another one; else None."""
    place = _place(address)
    plain = "".join(
        filter(is_drawn, unicodedata.normalize("NFKC", words.translate(_STOPS)).translate(_STOPS))
    )
    own = _host(place.rpartition("@")[2])
    named = {_host(with_scheme or without) for with_scheme, without in _ADDRESS.findall(plain)}
    if named <= {own} or words.endswith(f"({place})"):
        return None
    return place


def _place(address: str) -> str:
    if address[:7].lower() == "mailto:":
        return address[7:].partition("?")[0]
    host = (urlsplit(address).hostname or "").rstrip(".")
    return ".".join(map(_ascii, host.split(".")))


def _host(typed: str) -> str:
    """Return a host in normal form, for comparison."""
    host = re.sub(r":\d*$", "", typed).strip(".").lower()
    return ".".join(map(_ascii, host.split("."))).removeprefix("www.")


def _ascii(label: str) -> str:
    """Return a label of a host in ASCII, in which letters that look the same differ."""
    if label.isascii():
        return label.lower()
    folded = unicodedata.normalize("NFKC", label.casefold())
    return folded if folded.isascii() else "xn--" + folded.encode("punycode").decode("ascii")
