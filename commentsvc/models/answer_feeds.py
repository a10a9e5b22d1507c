"""The secret addresses of feeds with the answers to one person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, now


class AnswerFeed(Base):
    """A person's feed; each has one at most, and a new address replaces the former one."""

    __tablename__ = "answer_feed"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    commenter_id: Mapped[int] = mapped_column(ForeignKey("commenter.id", ondelete="CASCADE"), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """Hash of the address's token (domain/accounts/token_hashes.py)."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
