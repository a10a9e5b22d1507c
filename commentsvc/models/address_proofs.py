"""Guests who proved an e-mail address, and the codes that are mailed to prove one. Addresses are stored as hashes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, now


class AddressProof(Base):
    """A guest's browser that has proved an e-mail address on a site. All hashes are keyed (domain/hash_keys.py)."""

    __tablename__ = "address_proof"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    email_hash: Mapped[str] = mapped_column(String(64))
    author_key_hash: Mapped[str] = mapped_column(String(64), index=True)
    """The browser, as in `Comment.author_key_hash`."""
    name_hash: Mapped[str | None] = mapped_column(String(64))
    """The name of the latest comment, by its visual form; None before the first comment, and for comments without."""
    proved_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    used_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, index=True)
    """The time of the latest comment, or of the proof."""

    __table_args__ = (
        UniqueConstraint("site_id", "email_hash", "author_key_hash"),
        Index("ix_address_proof_name", "site_id", "name_hash"),
    )


class AddressCode(Base):
    """The latest code that was mailed to an address, and how many were mailed to it."""

    __tablename__ = "address_code"

    email_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    author_key_hash: Mapped[str] = mapped_column(String(64))
    """The browser that asked for it, and the only one that can use it."""
    code_hash: Mapped[str | None] = mapped_column(String(64))
    """Hash by the secret key, over the site, the address and the browser too; None once the code is used."""
    tries: Mapped[int] = mapped_column(default=0)
    mails: Mapped[int] = mapped_column(default=1)
    """Mails to this address since the last pause of a day, or since one of its codes was used."""
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
