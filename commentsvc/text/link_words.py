"""Detects links whose text is another address than the one they lead to."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from urllib.parse import urlsplit

from commentsvc import host_names
from commentsvc.text.characters import MARKS, is_drawn

# Full stops of all scripts, and characters that look like them.
_STOPS = str.maketrans(
    dict.fromkeys("\u3002\uff0e\uff61\u2024\u2027\u00b7\u2022\u2219\u22c5\u06d4\u0660\u06f0", ".")
)
_PART = rf"[\w{MARKS}-]"
_NAME = rf"(?:{_PART}{{1,63}}\.){{1,20}}(?:[^\W\d_]{_PART}{{1,62}}|xn--{_PART}{{1,59}})"
_HOST = rf"(?<!{_PART})((?:{_NAME}|(?:\d{{1,3}}\.){{3}}\d{{1,3}})(?!{_PART}))"
_ADDRESS = re.compile(
    rf"[a-z][a-z0-9+.-]{{0,20}}:[/\\]{{2}}([^\s/\\?#]*)[^\s]*|{_HOST}(?:[:/?#][^\s]*)?", re.IGNORECASE
)


def real_place(words: str, address: str) -> str | None:
    """Return the host or mail address that a link leads to if its text names another one; else None."""
    place = _place(address)
    plain = _drawn(unicodedata.normalize("NFKC", words.translate(_STOPS)).translate(_STOPS))
    own = place.rpartition("@")[2]
    # Words have lost the joiners of a name, which some scripts need.
    places = {_host(own), _host(_drawn(_readable(own)))}
    named = {_host(with_scheme or without) for with_scheme, without in _ADDRESS.findall(plain)}
    if named <= places or words.endswith(f"({place})"):
        return None
    return place


def _drawn(text: str) -> str:
    return "".join(filter(is_drawn, text))


def _place(address: str) -> str:
    if address[:7].lower() == "mailto:":
        return address[7:].partition("?")[0]
    return host_names.in_ascii(urlsplit(address).hostname or "")


def _readable(host: str) -> str:
    with suppress(ValueError):
        return host_names.in_unicode(host)
    return host


def _host(typed: str) -> str:
    """Return a host in normal form, for comparison; what is no host's name stays as it is."""
    host = re.sub(r":\d*$", "", typed).strip(".").lower()
    with suppress(ValueError):
        host = host_names.in_ascii(host)
    return host.removeprefix("www.")
