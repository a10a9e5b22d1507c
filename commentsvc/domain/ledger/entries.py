"""Records what is erased or ended, in the transaction that does it; after the commit the file has it, too."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import event, insert, select
from sqlalchemy.orm import Session

from commentsvc.domain import hash_keys
from commentsvc.domain.ledger import files, subjects
from commentsvc.domain.ledger.files import Entry
from commentsvc.models import LedgerEntry, LedgerKind, Site, now

BATCH = 500
"""Rows that one statement stores."""
_PENDING, _PAUSED = "commentsvc_ledger", "commentsvc_ledger_paused"


def record(
    session: Session,
    kind: LedgerKind,
    values: Iterable[str],
    *,
    site_id: int | None = None,
    detail: str | None = None,
    at: datetime | None = None,
) -> None:
    """Record an event for each value (see `subjects`). Needs `begin_write`.

    The commit that follows stores the rows, and returns when the file on disk has them as well.
    """
    values = list(values)
    if not values or session.info.get(_PAUSED):
        return
    website = None if site_id is None else session.get(Site, site_id)
    if site_id is not None and website is None:
        return  # the site was removed meanwhile, with everything that the event could be about
    key, at = hash_keys.load_within(session), at or now()
    site = None if website is None else subjects.hash_of_site(key, website)
    recorded = [
        Entry(secrets.token_hex(16), at, kind, subjects.hash_of(key, kind, value), site, detail)
        for value in values
    ]
    store(session, recorded)
    session.info.setdefault(_PENDING, (key, []))[1].extend(recorded)


def stored(session: Session) -> list[Entry]:
    """Return all entries of the database, the oldest first."""
    rows = session.scalars(select(LedgerEntry).order_by(LedgerEntry.at, LedgerEntry.id))
    return [Entry(row.key, row.at, row.kind, row.subject, row.site, row.detail) for row in rows]


def store(session: Session, entries: Iterable[Entry]) -> None:
    """Store entries that the database does not have. Needs `begin_write`."""
    rows = [entry.as_row() for entry in entries]
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        known = set(
            session.scalars(select(LedgerEntry.key).where(LedgerEntry.key.in_([row["key"] for row in batch])))
        )
        if new := [row for row in batch if row["key"] not in known]:
            session.execute(insert(LedgerEntry), new)


@contextmanager
def paused(session: Session) -> Iterator[None]:
    """Record nothing in the block, which replays events that the ledger has already."""
    session.info[_PAUSED] = True
    try:
        yield
    finally:
        session.info[_PAUSED] = False


@event.listens_for(Session, "after_commit")
def _append(session: Session) -> None:
    if not session.in_nested_transaction() and _PENDING in session.info:
        key, recorded = session.info.pop(_PENDING)
        files.append_committed(session.get_bind().engine, key, recorded)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_PENDING, None)
