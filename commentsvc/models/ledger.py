"""What was erased and which mail was ended since the backups that exist; after a restore it is repeated."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, choice


class LedgerKind(StrEnum):
    """What happened."""

    COMMENT = "comment"
    """A comment was erased, or deleted for good."""
    PERSON = "person"
    """An account was erased; an entry for each of its logins."""
    LOGIN = "login"
    """A login was taken from an account that stays."""
    GUEST = "guest"
    """A guest was erased."""
    ADDRESS = "address"
    """Everything about an e-mail address was erased."""
    ENDED = "ended"
    """A subscription ended."""
    RESUMED = "resumed"
    """Its end was undone."""
    SUPPRESSED = "suppressed"
    """An address wants or takes no more mail."""
    LIFTED = "lifted"
    """It gets mail again."""


class LedgerEntry(Base):
    """One event, known by keyed hashes only; a file beside the backups has the same entries (domain/ledger/)."""

    __tablename__ = "ledger_entry"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    """Random; the same in the file."""
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    kind: Mapped[LedgerKind] = mapped_column(choice(LedgerKind))
    subject: Mapped[str] = mapped_column(String(64))
    """Keyed hash of what the event is about."""
    site: Mapped[str | None] = mapped_column(String(64))
    """Keyed hash of the site; None if it is about all of them, or if the subject says it."""
    detail: Mapped[str | None] = mapped_column(String(20))
    """What happens to a person's texts, or why an address gets no mail."""
