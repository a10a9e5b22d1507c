"""Host names and e-mail addresses in one form each: UTS #46 without transitional mapping, as in browsers.

Every place that accepts, compares or resolves a host uses these, so that all agree. The only importer of idna.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import idna

HOST_LONGEST = 253
ADDRESS_LONGEST = 254
_LABEL_LONGEST = 63
_PREFIX = "xn--"
_JOINERS = frozenset("\u200c\u200d")
_WITHOUT_JOINERS = dict.fromkeys(map(ord, _JOINERS))


@lru_cache(maxsize=1024)
def in_ascii(host: str) -> str:
    """Return a host as DNS has it, in small letters and without a dot at its end; raises ValueError.

    Addresses, an empty host, and whatever characters a name in ASCII has, pass as they are.
    """
    # No valid name is longer, and mapping normalises, which takes quadratic time with the length of a run of marks.
    if len(host) > HOST_LONGEST + 1:
        raise ValueError("This host name is too long.")
    mapped = idna.uts46_remap(host, std3_rules=False).rstrip(".")
    if not mapped or ":" in mapped:
        return mapped
    labels = mapped.split(".")
    if not mapped.isascii() or _PREFIX in mapped:
        _require_one_direction([_decoded(label) for label in labels])
        labels = [_label_in_ascii(label) for label in labels]
    if not all(0 < len(label) <= _LABEL_LONGEST for label in labels):
        raise ValueError("A part of this host name is empty or too long.")
    result = ".".join(labels)
    if len(result) > HOST_LONGEST:
        raise ValueError("This host name is too long.")
    return result


def in_unicode(host: str) -> str:
    """Return a host as people read it; raises ValueError."""
    return ".".join(map(_decoded, in_ascii(host).split(".")))


def one_address(address: str) -> str:
    """Return an e-mail address in the one form in which it is stored; raises ValueError.

    It has small letters, and its domain the letters of its script, so that two spellings of it are one person.
    """
    if len(address) > ADDRESS_LONGEST:
        raise ValueError("This e-mail address is too long.")
    local, _, domain = unicodedata.normalize("NFKC", address).strip().lower().rpartition("@")
    if not local or not domain or domain.endswith("."):
        raise ValueError("This is no e-mail address.")
    result = f"{local}@{in_unicode(domain)}"
    if len(result) > ADDRESS_LONGEST:
        raise ValueError("This e-mail address is too long.")
    return result


def is_visible(address: str) -> bool:
    """Whether nothing in a web address is invisible but joiners, which some scripts need."""
    return address.translate(_WITHOUT_JOINERS).isprintable()


def with_tokens(text: str) -> tuple[tuple[str, str], ...]:
    """Return hosts with their tokens, `host=TOKEN` separated by commas; raises ValueError, which shows no token."""
    pairs: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        host, _, token = (piece.strip() for piece in part.partition("="))
        if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", host) or not re.fullmatch(r"[\x21-\x7e]{8,500}", token):
            raise ValueError("must be hosts with their tokens, such as social.example=YOUR_TOKEN")
        pairs[host.lower()] = token
    return tuple(pairs.items())


def _decoded(label: str) -> str:
    # Decoding takes time that grows with the square of the length.
    if not label.startswith(_PREFIX) or len(label) > _LABEL_LONGEST:
        return label
    return label[len(_PREFIX) :].encode("ascii").decode("punycode")


def _label_in_ascii(label: str) -> str:
    name = _decoded(label)
    if name == label and label.isascii():
        return label
    if name.isascii() or idna.uts46_remap(name, std3_rules=False) != name:
        raise ValueError("This host name is not encoded as browsers encode it.")
    if unicodedata.category(name[0])[0] == "M":
        raise ValueError("A part of this host name begins with a mark.")
    if any(char in _JOINERS and not idna.valid_contextj(name, place) for place, char in enumerate(name)):
        raise ValueError("This host name has a joiner where it joins nothing.")
    return _PREFIX + name.encode("punycode").decode("ascii")


def _require_one_direction(names: list[str]) -> None:
    """Apply the Bidi rule, which holds for all parts of a name once one of them is written right to left."""
    if any(unicodedata.bidirectional(char) in {"R", "AL", "AN"} for name in names for char in name):
        for name in filter(None, names):
            idna.check_bidi(name, check_ltr=True)
