"""Identifies the code that this process has loaded, so that a missing restart after an update can be noticed."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@cache
def fingerprint() -> str:
    """Return the SHA-256 of the package's files, in hexadecimal digits; call it at the start, before they change.

    The release number is not enough: an owner who installs from a repository has many versions of one release.
    """
    digest = hashlib.sha256()
    for file in sorted(FOLDER.rglob("*")):
        if file.is_file() and file.suffix != ".pyc":
            digest.update(file.relative_to(FOLDER).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
