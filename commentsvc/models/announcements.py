"""New articles of a site: what its feed was known to have, and what subscribers are to hear of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, now

_WAITING = text("done_at IS NULL")


class FeedState(Base):
    """What the last request for a site's feed found."""

    __tablename__ = "feed_state"

    site_id: Mapped[int] = mapped_column(
        ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    url: Mapped[str] = mapped_column(String(2000))
    """The address that was asked; another one in the site's settings begins anew."""
    checked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    began_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it was first read, which announces nothing; None before."""
    etag: Mapped[str | None] = mapped_column(String(300))
    last_modified: Mapped[str | None] = mapped_column(String(100))
    error: Mapped[str | None] = mapped_column(String(300))
    """Why the last request failed; None if it did not."""


class FeedItem(Base):
    """An item that a site's feed has or had, so that it is announced once."""

    __tablename__ = "feed_item"

    site_id: Mapped[int] = mapped_column(
        ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    item_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the item's id."""
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When it was last in the feed."""


class Announcement(Base):
    """New articles in one mail; the background work turns it into deliveries, only once."""

    __tablename__ = "announcement"
    __table_args__ = (
        Index("ix_announcement_waiting", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    articles: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """Each with `title` and `url`."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    done_up_to: Mapped[str] = mapped_column(String(64), default="")
    """Subscribers whose address hash is not greater have their deliveries."""
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
