"""Ends subscriptions again, and suppresses addresses again, as the ledger has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from commentsvc.domain.ledger import subjects
from commentsvc.domain.ledger.files import Entry
from commentsvc.domain.notifications import suppression
from commentsvc.domain.subscriptions import subscription_records
from commentsvc.models import (
    EndReason,
    LedgerKind,
    Site,
    Subscription,
    Suppression,
    SuppressionReason,
)


class MailReplay:
    """One ledger. Needs `begin_write`."""

    def __init__(self, session: Session, key: bytes, own_key: bytes, recorded: Sequence[Entry]) -> None:
        """`recorded` is in the order of time; `own_key` is that of the database."""
        self._session, self._key, self._is_own, self._recorded = session, key, key == own_key, recorded
        self._sites = {subjects.hash_of_site(key, site): site.id for site in session.scalars(select(Site))}
        self._here = {} if self._is_own else self._hashes_here(own_key)

    def erase_addresses(self) -> int:
        """Erase addresses again; return how many were still there."""
        number = 0
        for entry in self._of(LedgerKind.ADDRESS):
            address_hash, site_id = self._hash_here(entry.subject), self._site_id(entry)
            if (
                address_hash
                and (entry.site is None or site_id)
                and self._is_there(address_hash, site_id, entry.at)
            ):
                subscription_records.erase_address(self._session, address_hash, site_id=site_id)
                number += 1
        return number

    def end_subscriptions(self) -> int:
        """End subscriptions again, unless that was undone; return how many."""
        last = {entry.subject: entry for entry in self._of(LedgerKind.ENDED, LedgerKind.RESUMED)}
        if not last:
            return 0
        number = 0
        for row in self._session.scalars(select(Subscription).where(Subscription.ended_at.is_(None))):
            address_hash = self._hash_there(row)
            if address_hash is None:
                continue
            value = subjects.subscription(address_hash, row)
            entry = last.get(subjects.hash_of(self._key, LedgerKind.ENDED, value))
            if entry is not None and entry.kind is LedgerKind.ENDED:
                row.ended_at, row.ended_by = entry.at, EndReason(entry.detail or EndReason.LINK)
                number += 1
        self._session.flush()
        return number

    def suppress(self) -> int:
        """Suppress addresses again, unless that was lifted; return how many were not suppressed."""
        number = 0
        for entry in self._effective():
            address_hash, site_id = self._hash_here(entry.subject), self._site_id(entry)
            if address_hash is None or (entry.site is not None and site_id is None):
                continue
            reason = SuppressionReason(entry.detail or SuppressionReason.ASKED)
            if suppression.effective(self._session, address_hash, site_id, {reason}) is None:
                for _ in range(suppression.REFUSALS if reason is SuppressionReason.REFUSED else 1):
                    suppression.suppress(self._session, address_hash, reason, site_id=site_id, at=entry.at)
                number += 1
        return number

    def _effective(self) -> list[Entry]:
        """Return the suppressions that nothing later has lifted."""
        left: dict[tuple[str, str | None, str | None], Entry] = {}
        for entry in self._of(LedgerKind.SUPPRESSED, LedgerKind.LIFTED, LedgerKind.ADDRESS):
            if entry.kind is LedgerKind.SUPPRESSED:
                left[entry.subject, entry.site, entry.detail] = entry
            elif entry.kind is LedgerKind.LIFTED:
                left.pop((entry.subject, entry.site, entry.detail), None)
            else:
                for mark in [mark for mark in left if mark[0] == entry.subject]:
                    if entry.site in {None, mark[1]}:
                        del left[mark]
        return list(left.values())

    def _of(self, *kinds: LedgerKind) -> list[Entry]:
        return [entry for entry in self._recorded if entry.kind in kinds]

    def _site_id(self, entry: Entry) -> int | None:
        return self._sites.get(entry.site) if entry.site else None

    def _is_there(self, address_hash: str, site_id: int | None, at: datetime) -> bool:
        """Whether the database has something about an address from before its erasure."""
        subscribed: list[ColumnElement[bool]] = [
            Subscription.address_hash == address_hash,
            Subscription.requested_at <= at,
        ]
        suppressed: list[ColumnElement[bool]] = [
            Suppression.address_hash == address_hash,
            Suppression.created_at <= at,
        ]
        if site_id is not None:
            subscribed.append(Subscription.site_id == site_id)
            suppressed.append(Suppression.site_id == site_id)
        return bool(self._session.scalar(select(exists().where(*subscribed) | exists().where(*suppressed))))

    def _hash_here(self, hash_there: str) -> str | None:
        """Return the hash in this database of an address that the ledger knows by another one; None if unknown."""
        return hash_there if self._is_own else self._here.get(hash_there)

    def _hash_there(self, row: Subscription) -> str | None:
        if self._is_own:
            return row.address_hash
        return suppression.hash_of_address(self._key, row.address) if row.address else None

    def _hashes_here(self, own_key: bytes) -> dict[str, str]:
        """Return the hashes of all addresses that subscriptions name, by their hashes with the ledger's key."""
        query = select(Subscription.address).where(Subscription.address.is_not(None)).distinct()
        addresses = [address for address in self._session.scalars(query) if address]
        return {
            suppression.hash_of_address(self._key, address): suppression.hash_of_address(own_key, address)
            for address in addresses
        }
