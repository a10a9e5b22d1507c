"""Makes rows of an archive's records, with the numbers that they have in this database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from commentsvc.domain import hash_keys
from commentsvc.domain.accounts import single_sign_on
from commentsvc.domain.admin.author_ref import AuthorKind
from commentsvc.domain.archive import records
from commentsvc.domain.archive.parts import ArchivePart
from commentsvc.domain.archive.rendered_texts import rendered
from commentsvc.domain.notifications import suppression
from commentsvc.errors import ArchiveError
from commentsvc.models import (
    Action,
    Ban,
    BanKind,
    Comment,
    Commenter,
    Identity,
    Note,
    Subscription,
    Suppression,
    Thread,
    search_text,
)

RESTORED = "restored."
"""Begins the kind of an action that was restored under other numbers, so that nobody can undo it."""
KIND_LONGEST = 40
"""Characters of an action's kind."""


def completed(part: ArchivePart, row: dict[str, Any], text: Mapping[str, Any] | None) -> dict[str, Any]:
    """Add what an archive leaves out because it is made from the rest, and a new token.

    `text` has the columns of a comment's text, if they have been made before.
    """
    if part.model is Subscription:
        row["token"] = secrets.token_hex(16)
    elif part.model is Comment:
        row |= rendered(row) if text is None else text
    if part.model in {Comment, Thread, Commenter}:
        row["search_text"] = search_text(part.model, row)
    return row


def completed_without_html(part: ArchivePart, row: dict[str, Any]) -> dict[str, Any]:
    """Do as `completed` does, quickly, for a database that nobody reads: its archive will be the same."""
    if part.model is Subscription:
        row["token"] = secrets.token_hex(16)
    elif part.model is Comment:
        row["html"], row["renderer"], row["digest"] = "", 0, ""
    return row


class Numbers:
    """The numbers that rows of the archive have in this database."""

    def __init__(self, *, kept: bool) -> None:
        self.kept = kept
        """Whether all rows have the numbers of the archive, because the database was empty."""
        self._of: dict[str, dict[int, int]] = {}

    def add(self, table: str, former: int, number: int) -> None:
        """Note a row's number."""
        if not self.kept:
            self._of.setdefault(table, {})[former] = number

    def get(self, table: str, former: int) -> int | None:
        """Return a row's number here; None if it was not restored."""
        return former if self.kept else self._of.get(table, {}).get(former)


class RowMaker:
    """Makes the rows of one restore. Needs `begin_write`."""

    def __init__(self, session: Session, numbers: Numbers) -> None:
        self.numbers = numbers
        self._key = hash_keys.load_within(session)
        self.unknown_addresses = 0
        """Suppressions whose address nothing in the archive names, so that they have no effect here."""

    def row(self, part: ArchivePart, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return a record's row, for `completed`; None if something that it needs was not restored.

        It has the number of the archive.
        """
        row = records.decoded(part, record)
        if not self._with_references(part, row):
            return None
        if part.model in {Subscription, Suppression}:
            self._with_address(row, record)
        return row if self.numbers.kept else self._renumbered(part, row)

    def _with_references(self, part: ArchivePart, row: dict[str, Any]) -> bool:
        """Replace the numbers that a row refers to; return False if one that it needs was not restored."""
        if self.numbers.kept:
            return True
        for key in part.table.foreign_keys:
            name = key.parent.name
            former = row.get(name)
            if former is None:
                continue
            row[name] = self.numbers.get(key.column.table.name, former)
            if row[name] is None and not (key.parent.nullable and key.ondelete == "SET NULL"):
                return False
        return True

    def _with_address(self, row: dict[str, Any], record: Mapping[str, Any]) -> None:
        address = record.get("address")
        if isinstance(address, str):
            row["address_hash"] = suppression.hash_of_address(self._key, address)
        elif "address_hash" not in row:
            raise ArchiveError("The archive has a subscription without an address.")
        else:
            self.unknown_addresses += "reason" in row

    def _renumbered(self, part: ArchivePart, row: dict[str, Any]) -> dict[str, Any] | None:
        """Replace the numbers that stand in texts; return None if one of them was not restored."""
        if part.model is Identity and row["provider"] == single_sign_on.PROVIDER:
            return self._with_number(row, "issuer", "site", single_sign_on.issuer(0).removesuffix("0"))
        if part.model is Ban and row["kind"] is BanKind.PERSON:
            return self._with_number(row, "value", "commenter", "")
        if part.model is Note and row["about"].startswith(AuthorKind.COMMENTER.prefix):
            return self._with_number(row, "about", "commenter", AuthorKind.COMMENTER.prefix)
        if part.model is Action:  # its facts are the numbers that undoing needs
            row["kind"] = f"{RESTORED}{row['kind'].removeprefix(RESTORED)}"[:KIND_LONGEST]
            row["facts"] = {}
        return row

    def _with_number(self, row: dict[str, Any], name: str, table: str, before: str) -> dict[str, Any] | None:
        former = row[name].removeprefix(before)
        number = self.numbers.get(table, int(former)) if former.isascii() and former.isdigit() else None
        if number is None:
            return None
        row[name] = f"{before}{number}"
        return row
