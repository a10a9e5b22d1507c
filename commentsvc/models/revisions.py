"""Former texts of comments, and new ones that wait for a moderator."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, TextFormat, choice, now


class Revision(Base):
    """A comment as it was before an edit: kept for a while, so that a moderator can read it and undo the edit."""

    __tablename__ = "revision"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), index=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("action.id", ondelete="CASCADE"), index=True)
    format: Mapped[TextFormat] = mapped_column(choice(TextFormat))
    source: Mapped[str] = mapped_column(Text)
    guest_name: Mapped[str | None] = mapped_column(String(80))
    guest_email: Mapped[str | None] = mapped_column(String(254))
    guest_website: Mapped[str | None] = mapped_column(String(500))
    edited_before: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """The comment's `edited_at` before the edit."""
    edited_after: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """The comment's `edited_at` after the edit: as long as it has this value, nobody has edited it again."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, index=True)


class PendingEdit(Base):
    """An author's new text that was held: it waits for a moderator, while readers see the former text."""

    __tablename__ = "pending_edit"

    comment_id: Mapped[int] = mapped_column(
        ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    source: Mapped[str] = mapped_column(Text)
    """In Markdown."""
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """The verdicts of the checks, as a Decision has them."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
