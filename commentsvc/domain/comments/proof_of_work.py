"""Work that a browser does for a comment while very many are coming: no puzzle for people, a price for floods.

It looks for numbers with which the SHA-256 of a challenge begins with enough zeros. The challenge is made of a seed,
signed and dated by us for one thread, and of the comment's own key: what was worked for one comment is worth nothing
for another.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from commentsvc.domain.threads.threads import ThreadAddress
from commentsvc.integrations import signing

BITS = 15
"""Zeros at the beginning of each hash."""
PARTS = 8
"""Numbers to be found. Several easy ones take much the same time for everybody; one hard one would not."""
LIFE = 3600
"""Seconds for which a seed is good."""
NONE = "none"
"""What a browser sends that cannot do it."""
_GIVEN = re.compile(rf"([\w.-]{{20,300}})~(\d{{1,10}}(?:,\d{{1,10}}){{{PARTS - 1}}})", re.ASCII)


def new_challenge(secret: str, address: ThreadAddress) -> dict[str, Any]:
    """Return what a browser needs to begin."""
    return {"seed": signing.sign(secret, "work", _thread(address)), "bits": BITS, "parts": PARTS}


def is_done(secret: str, address: ThreadAddress, given: str, *, key: str | None) -> bool:
    """Whether `given` is work for the comment with this key in this thread; a few hashes, whatever was sent."""
    match = _GIVEN.fullmatch(given)
    if match is None or key is None:
        return False
    seed, numbers = match[1], [int(number) for number in match[2].split(",")]
    signed = signing.unsign(secret, "work", seed, max_age=LIFE)
    if signed is None or signed[0] != _thread(address) or numbers != sorted(set(numbers)):
        return False
    challenge = _sha256(f"{seed}~{key}").hex()
    return all(int.from_bytes(_sha256(f"{challenge}{number}")) >> (256 - BITS) == 0 for number in numbers)


def _thread(address: ThreadAddress) -> str:
    return _sha256(f"{address.site.id} {address.key}").hex()[:32]


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
