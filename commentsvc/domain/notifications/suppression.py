"""Addresses that get no mail: because they asked for none, or because their mail server refuses it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from commentsvc.domain.ledger import entries
from commentsvc.integrations import signing
from commentsvc.models import LedgerKind, Suppression, SuppressionReason

REFUSALS = 3
"""Refused mails after which an address gets no more; an address that does not exist gets none after the first."""
BOUNCES = frozenset({SuppressionReason.BOUNCED, SuppressionReason.REFUSED})
"""The mail server refuses the address."""
FINAL = BOUNCES | {SuppressionReason.UNWANTED}
"""Reasons for which an address gets not even a confirmation mail."""
_PURPOSE = "mail address"
_ALL = frozenset(SuppressionReason)


def hash_of_address(key: bytes, address: str) -> str:
    """Return the keyed hash of an address in the form of `fields.email`; `key` is the one that lasts."""
    return signing.keyed_hash(key, _PURPOSE, address.lower())


def effective(
    session: Session, address_hash: str, site_id: int | None, reasons: Collection[SuppressionReason] = _ALL
) -> SuppressionReason | None:
    """Return why an address gets no mail of a site; None if it may get mail."""
    query = select(Suppression.reason).where(
        Suppression.address_hash == address_hash, is_effective(site_id), Suppression.reason.in_(reasons)
    )
    return session.scalars(query.order_by(Suppression.id).limit(1)).first()


def suppress(
    session: Session,
    address_hash: str,
    reason: SuppressionReason,
    *,
    site_id: int | None = None,
    at: datetime,
) -> None:
    """Send no more mail to an address, of one site or of all; refused mails count. Needs `begin_write`."""
    same = select(Suppression).where(
        Suppression.address_hash == address_hash,
        Suppression.site_id.is_not_distinct_from(site_id),
        Suppression.reason == reason,
    )
    row = session.scalars(same.limit(1)).first()
    if row is None:
        row = Suppression(address_hash=address_hash, site_id=site_id, reason=reason, times=0, created_at=at)
        session.add(row)
    row.times += 1
    session.flush()
    if reason is not SuppressionReason.REFUSED or row.times == REFUSALS:  # from now on it has an effect
        entries.record(session, LedgerKind.SUPPRESSED, [address_hash], site_id=site_id, detail=reason, at=at)


def lift(session: Session, address_hash: str, site_id: int | None) -> None:
    """Let an address get mail of a site again, because its owner confirmed it. Needs `begin_write`."""
    here = or_(Suppression.site_id.is_(None), Suppression.site_id == site_id)
    remove(session, Suppression.address_hash == address_hash, here)


def forget_refusals(session: Session, address_hash: str) -> None:
    """Count refused mails from zero again, because one was taken. Needs `begin_write`."""
    remove(
        session,
        Suppression.address_hash == address_hash,
        Suppression.reason == SuppressionReason.REFUSED,
    )


def is_effective(site_id: int | InstrumentedAttribute[int] | None) -> ColumnElement[bool]:
    """Select the rows that keep an address from mail of a site; a column stands for each row's site."""
    here = or_(Suppression.site_id.is_(None), Suppression.site_id == site_id)
    return here & or_(Suppression.reason != SuppressionReason.REFUSED, Suppression.times >= REFUSALS)


def remove(session: Session, *which: ColumnElement[bool]) -> None:
    """Let addresses get mail again. Needs `begin_write`."""
    for row in session.scalars(select(Suppression).where(*which)).all():
        entries.record(session, LedgerKind.LIFTED, [row.address_hash], site_id=row.site_id, detail=row.reason)
        session.delete(row)
    session.flush()
