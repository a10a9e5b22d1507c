"""Ends a subscription, and undoes that; the ledger has both, so that restoring a backup does not undo it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from commentsvc.domain.ledger import entries, subjects
from commentsvc.models import EndReason, LedgerKind, Subscription


def end(session: Session, row: Subscription, how: EndReason, *, at: datetime) -> None:
    """End a subscription. Needs `begin_write`."""
    row.ended_at, row.ended_by = at, how
    _record(session, LedgerKind.ENDED, row, at)


def resume(session: Session, row: Subscription, *, at: datetime) -> None:
    """Undo the end of a subscription. Needs `begin_write`."""
    row.ended_at = row.ended_by = None
    _record(session, LedgerKind.RESUMED, row, at)


def _record(session: Session, kind: LedgerKind, row: Subscription, at: datetime) -> None:
    entries.record(session, kind, [subjects.subscription(row.address_hash, row)], detail=row.ended_by, at=at)
