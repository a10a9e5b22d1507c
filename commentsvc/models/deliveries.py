"""The outbox: mail is written in the same commit as the change it reports, and sent afterwards."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, choice, now


class DeliveryState(StrEnum):
    WAITING = "waiting"
    """Not sent yet, or being sent."""
    SENT = "sent"
    FAILED = "failed"
    """Given up after the last attempt or a permanent error."""


class Delivery(Base):
    """A mail to be sent. Its address and text are deleted once it is sent or given up."""

    __tablename__ = "delivery"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    recipient: Mapped[str | None] = mapped_column(String(254))
    subject: Mapped[str | None] = mapped_column(String(200))
    text: Mapped[str | None] = mapped_column(Text)
    state: Mapped[DeliveryState] = mapped_column(choice(DeliveryState), default=DeliveryState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    """None once it is sent or given up. A worker moves this forward before it sends, so that no other one sends too."""
    last_error: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
