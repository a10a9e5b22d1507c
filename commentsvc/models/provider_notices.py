"""Notices of login providers about their users, and what became of each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, choice, now


class NoticeKind(StrEnum):
    DELETION = "deletion"
    """The person wants to be deleted, or has deleted their account at the provider."""
    WITHDRAWAL = "withdrawal"
    """The person no longer wants to log in here with this provider."""


class NoticeOutcome(StrEnum):
    PENDING = "pending"
    ERASED = "erased"
    """The account is erased."""
    UNLINKED = "unlinked"
    """The login is deleted; the account has another one."""
    FORGOTTEN = "forgotten"
    """The sessions are ended; name and picture are deleted."""
    UNKNOWN = "unknown"
    """Nobody here has this login."""
    REFUSED = "refused"
    """The person is the only owner of a site."""


class ProviderNotice(Base):
    """A notice, so that it is carried out once, and its sender can see what became of it."""

    __tablename__ = "provider_notice"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """Hash of the confirmation code (domain/accounts/token_hashes.py)."""
    kind: Mapped[NoticeKind] = mapped_column(choice(NoticeKind))
    outcome: Mapped[NoticeOutcome] = mapped_column(choice(NoticeOutcome))
    provider: Mapped[str] = mapped_column(String(40))
    issuer: Mapped[str | None] = mapped_column(String(300))
    """None, like `subject`, once the notice is carried out."""
    subject: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
