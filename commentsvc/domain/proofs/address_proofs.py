"""Proofs of e-mail addresses: they tie an address on a site to the browser of the guest who has proved it.

Only a mailed code makes a proof (address_codes.py). A typed address proves nothing, and neither does one confirmed for
mail.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, exists, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.db.session import Base
from commentsvc.domain import hash_keys
from commentsvc.integrations import signing
from commentsvc.models import AddressCode, AddressProof, Comment, Site, Status

UNUSED = timedelta(days=365)
"""How long a proof lasts after its last use."""

_p, _c = AddressProof.__table__.c, Base.metadata.tables["comment"].c


@dataclass(frozen=True, slots=True)
class AuthorHashes:
    """The keyed hashes by which an author is compared with proofs."""

    email: str | None
    """None without an address."""
    names: tuple[str, ...] = ()
    """Of the visual forms of the name, the plain one first; empty without a name."""


@dataclass(frozen=True, slots=True)
class AddressClaim:
    """What is to be proved: that this browser belongs to this address, on this site."""

    site_id: int
    email_hash: str
    author_key_hash: str


@dataclass(frozen=True, slots=True)
class ProofSignals:
    """What proofs say about an author."""

    is_proved: bool = False
    """This browser has proved the address."""
    address_of_other: bool = False
    """Another browser has proved the address, and this one has not."""
    name_of_other: bool = False
    """The name looks like that of a guest who proved another address and has an approved comment."""


def email_hash(key: bytes, address: str) -> str:
    """Return the hash of an address; case does not matter."""
    return signing.keyed_hash(key, "proved address", address.lower())


def author_hashes(key: bytes, *, email: str | None, name_forms: Collection[str] = ()) -> AuthorHashes:
    """Return an author's hashes; `name_forms` has the visual forms of the name, the plain one first."""
    names = tuple(signing.keyed_hash(key, "proved name", form) for form in name_forms)
    return AuthorHashes(email_hash(key, email) if email else None, names)


_MINE = (
    _p.site_id == bindparam("site_id"),
    _p.email_hash == bindparam("email_hash"),
    _p.author_key_hash == bindparam("author_key"),
)
# `coalesce` hides the status from the planner; otherwise SQLite scans all approved comments of the site.
_HAS_COMMENT = exists().where(
    _c.site_id == _p.site_id,
    _c.author_key_hash == _p.author_key_hash,
    func.coalesce(_c.status, "") == Status.APPROVED,
)
CONDITIONS = (
    exists().where(*_MINE).label("is_proved"),
    exists().where(*_MINE[:2]).label("address_is_proved"),
    exists()
    .where(
        _p.site_id == bindparam("site_id"),
        _p.name_hash.in_([bindparam("name"), bindparam("other_name")]),
        _p.email_hash.is_distinct_from(bindparam("email_hash")),
        _p.author_key_hash.is_distinct_from(bindparam("author_key")),
        _HAS_COMMENT,
    )
    .label("name_is_proved"),
)
"""SQL conditions for a query about an author; `parameters` returns their values, besides `site_id`."""


def parameters(hashes: AuthorHashes | None, author_key_hash: str | None) -> dict[str, str | None]:
    """Return the parameters of `CONDITIONS`."""
    names = hashes.names if hashes else ()
    return {
        "email_hash": hashes.email if hashes else None,
        "author_key": author_key_hash,
        "name": names[0] if names else None,
        "other_name": names[-1] if names else None,
    }


def signals_of(row: Any) -> ProofSignals:
    """Return what a row with the columns `CONDITIONS` says."""
    return ProofSignals(
        is_proved=bool(row.is_proved),
        address_of_other=bool(row.address_is_proved and not row.is_proved),
        name_of_other=bool(row.name_is_proved),
    )


def is_proved(session: Session, claim: AddressClaim) -> bool:
    """Whether a browser has proved an address on a site."""
    return bool(session.scalar(select(exists().where(*_claimed(claim)))))


def add(session: Session, claim: AddressClaim, *, at: datetime) -> None:
    """Store a proof. Needs `begin_write`; a proof that is there already is renewed."""
    values = {
        "site_id": claim.site_id,
        "email_hash": claim.email_hash,
        "author_key_hash": claim.author_key_hash,
        "proved_at": at,
        "used_at": at,
    }
    try:
        with session.begin_nested():
            session.execute(insert(AddressProof).values(values))
    except IntegrityError:  # proved before
        change_rows(session, update(AddressProof).where(*_claimed(claim)).values(proved_at=at, used_at=at))


def note_use(session: Session, claim: AddressClaim, name_hash: str | None, *, at: datetime) -> None:
    """Remember that a proof was used for a comment by this name. Needs `begin_write`."""
    change_rows(session, update(AddressProof).where(*_claimed(claim)).values(name_hash=name_hash, used_at=at))


def of_browsers(session: Session, author_key_hashes: Collection[str]) -> list[Row[str, datetime, datetime]]:
    """Return site, time of proof and of last use of all proofs by these browsers, the earliest first."""
    query = select(Site.name, AddressProof.proved_at, AddressProof.used_at).join(Site)
    theirs = AddressProof.author_key_hash.in_(author_key_hashes)
    return list(session.execute(query.where(theirs).order_by(AddressProof.id)))


def browsers_of(session: Session, commenter_id: int) -> set[str]:
    """Return the hashes of the browsers that an account has commented with."""
    query = select(Comment.author_key_hash).where(Comment.commenter_id == commenter_id).distinct()
    return {browser for browser in session.scalars(query) if browser}


def forget_browsers(session: Session, author_key_hashes: Collection[str]) -> None:
    """Delete everything that these browsers proved or were about to prove. Needs `begin_write`."""
    for table in (AddressProof, AddressCode):
        change_rows(session, delete(table).where(table.author_key_hash.in_(author_key_hashes)))


def forget_guest(
    session: Session, *, email: str | None, name_form: str | None, site_id: int | None = None
) -> None:
    """Delete the proofs and codes of an address, or of a name by its visual form, on one site or on all.

    Needs `begin_write`.
    """
    hashes = author_hashes(
        hash_keys.read(session), email=email, name_forms=[name_form] if name_form is not None else []
    )
    if hashes.email:
        for table in (AddressProof, AddressCode):
            here = true() if site_id is None else table.site_id == site_id
            change_rows(session, delete(table).where(table.email_hash == hashes.email, here))
    if hashes.names:
        here = true() if site_id is None else AddressProof.site_id == site_id
        change_rows(session, delete(AddressProof).where(AddressProof.name_hash == hashes.names[0], here))


def _claimed(claim: AddressClaim) -> tuple[Any, ...]:
    return (
        AddressProof.site_id == claim.site_id,
        AddressProof.email_hash == claim.email_hash,
        AddressProof.author_key_hash == claim.author_key_hash,
    )
