"""What entries of the ledger are about, as texts that are the same in every backup; only their hashes are stored.

Numbers are not used alone: in another database they may belong to somebody else.
"""

from __future__ import annotations

from datetime import UTC, datetime

from commentsvc.integrations import signing
from commentsvc.models import Comment, Commenter, Identity, LedgerKind, Site, Subscription

OWN = "commentsvc"
"""Begins the `uid`, and in another database the transfer key, of a comment that was written in a service like this."""
_OF_ADDRESSES = frozenset({LedgerKind.ADDRESS, LedgerKind.SUPPRESSED, LedgerKind.LIFTED})


def comment_uid(comment_id: int, created_at: datetime, transfer_key: str | None) -> str:
    """Return what identifies a comment everywhere: its transfer key, or its time and number where it was written."""
    return transfer_key or f"{OWN}:{created_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}:{comment_id}"


def comment(row: Comment) -> str:
    """Return the subject of a comment."""
    return comment_uid(row.id, row.created_at, row.transfer_key)


def people(account: Commenter, identities: list[Identity]) -> list[str]:
    """Return the subjects of an account: one for each login, or its name if it has none."""
    since = _time(account.created_at)
    logins = [f"{since} {login.provider} {login.issuer} {login.subject}" for login in identities]
    return logins or [f"{since} name {account.name}"]


def guest(kind: str, value: str) -> str:
    """Return the subject of a guest, by their address or name; the case of an address does not matter."""
    return f"{kind} {value.lower() if kind == 'email' else value}"


def subscription(address_hash: str, row: Subscription) -> str:
    """Return the subject of a subscription; a new request after its end makes it another one."""
    return f"{address_hash} {_time(row.requested_at)}"


def hash_of(key: bytes, kind: LedgerKind, value: str) -> str:
    """Return the hash of a subject; for an address, `value` is a hash already and is returned unchanged."""
    return value if kind in _OF_ADDRESSES else signing.keyed_hash(key, f"ledger {_purpose(kind)}", value)


def hash_of_site(key: bytes, site: Site) -> str:
    """Return the hash by which the ledger knows a site."""
    return signing.keyed_hash(key, "ledger site", _time(site.created_at))


def ledger_id(key: bytes) -> str:
    """Return the public name of the ledger of the database with this key."""
    return signing.keyed_hash(key, "ledger id", "")[:16]


def _purpose(kind: LedgerKind) -> str:
    return LedgerKind.ENDED if kind is LedgerKind.RESUMED else kind


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
