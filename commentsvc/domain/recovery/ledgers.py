"""Finds the ledgers that belong to a backup: beside it, and where the service writes its own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from commentsvc.domain.ledger import files
from commentsvc.domain.ledger.files import Entry
from commentsvc.errors import BackupError

Ledgers = dict[bytes, list[Entry]]
"""The entries of each ledger, by the key of its hashes."""


def in_directories(directories: Iterable[Path], *, own_key: bytes | None) -> Ledgers:
    """Return the ledgers in directories; `own_key` is that of the restored database, if it has it.

    Raises BackupError for one whose key is neither that nor beside it.
    """
    ledgers: Ledgers = {}
    for directory in dict.fromkeys(directory.absolute() for directory in directories):
        for path in files.in_directory(directory):
            key = files.key_of(path)
            if key is None and own_key is not None and path == files.path_of(directory, own_key):
                key = own_key
            if key is None:
                raise BackupError(
                    f"The key of the ledger {path} is missing: put {path.with_suffix(files.KEY).name} beside it. "
                    "Without it nobody knows who was erased since the backup."
                )
            ledgers.setdefault(key, []).extend(files.read(path))
    return {key: list({entry.key: entry for entry in found}.values()) for key, found in ledgers.items()}


def latest(ledgers: Ledgers) -> bytes | None:
    """Return the key of the ledger that has the latest entry; None without a ledger."""

    def last(key: bytes) -> datetime:
        return max((entry.at for entry in ledgers[key]), default=datetime.min.replace(tzinfo=UTC))

    return max(ledgers, key=last, default=None)
