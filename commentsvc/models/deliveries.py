"""The outbox: what is to be sent is stored in the same commit as the change it reports, and sent afterwards."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, choice, now
from commentsvc.models.endpoints import Event

_NOT_DONE = text("done_at IS NULL")
_HAS_SUBSCRIPTION = text("subscription_id IS NOT NULL")
_HAS_ANNOUNCEMENT = text("announcement_id IS NOT NULL")
_HAS_ENDPOINT = text("endpoint_id IS NOT NULL")
_CLOSED = text("closed_at IS NOT NULL")


class DeliveryState(StrEnum):
    WAITING = "waiting"
    """Not sent yet, or being sent."""
    SENT = "sent"
    FAILED = "failed"
    """Given up after the last attempt or a permanent error."""
    SKIPPED = "skipped"
    """Not sent, because when it was due it was no longer wanted or no longer true."""


class DeliveryKind(StrEnum):
    """What a mail to a subscriber is about, or what an endpoint gets; its words are written when it is sent."""

    CONFIRMATION = "confirmation"
    COMMENT = "comment"
    """A new comment on an article."""
    REPLY = "reply"
    """An answer to the subscriber's own comment."""
    PUBLISHED = "published"
    """The subscriber's own comment was approved."""
    POST = "post"
    """New articles of a site."""
    HELD = "held"
    """A comment that waits for a decision, to a moderator."""
    SAMPLE = "sample"
    """A mail with invented words, which a moderator asked to see; `text` has the name of its template."""
    WEBHOOK = "webhook"
    CHAT = "chat"
    BUILD = "build"
    """A request that starts a build of the website."""


class Delivery(Base):
    """A mail, or a request to an endpoint. Its address and text are deleted once it is sent or given up."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("comment_id", "recipient_hash"),
        Index("ix_delivery_recipient", "recipient_hash", "state"),
        Index(
            "ix_delivery_subscription_id",
            "subscription_id",
            sqlite_where=_HAS_SUBSCRIPTION,
            postgresql_where=_HAS_SUBSCRIPTION,
        ),
        Index(
            "ix_delivery_announcement",
            "announcement_id",
            "recipient_hash",
            unique=True,
            sqlite_where=_HAS_ANNOUNCEMENT,
            postgresql_where=_HAS_ANNOUNCEMENT,
        ),
        Index(
            "ix_delivery_endpoint",
            "endpoint_id",
            "id",
            sqlite_where=_HAS_ENDPOINT,
            postgresql_where=_HAS_ENDPOINT,
        ),
        Index("ix_delivery_closed", "closed_at", sqlite_where=_CLOSED, postgresql_where=_CLOSED),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    kind: Mapped[DeliveryKind | None] = mapped_column(choice(DeliveryKind))
    """None for a mail whose recipient and text are stored below."""
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id", ondelete="CASCADE"))
    comment_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"))
    announcement_id: Mapped[int | None] = mapped_column(ForeignKey("announcement.id", ondelete="CASCADE"))
    endpoint_id: Mapped[int | None] = mapped_column(ForeignKey("endpoint.id", ondelete="CASCADE"))
    event: Mapped[Event | None] = mapped_column(choice(Event))
    """What an endpoint is told."""
    about_id: Mapped[int | None] = mapped_column(BigInteger)
    """The number of the comment, thread or surge that the event is about. The row may be gone when it is sent."""
    recipient_hash: Mapped[str | None] = mapped_column(String(64))
    """Keyed hash of a subscriber's address. Nobody gets two mails about one comment."""
    message_id: Mapped[str | None] = mapped_column(String(100))
    """The Message-ID under which it was sent; several deliveries can be in one mail."""
    recipient: Mapped[str | None] = mapped_column(String(254))
    subject: Mapped[str | None] = mapped_column(String(200))
    text: Mapped[str | None] = mapped_column(Text)
    state: Mapped[DeliveryState] = mapped_column(choice(DeliveryState), default=DeliveryState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    """None once it is sent or given up. A worker moves this forward before it sends, so that no other one sends too."""
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it was sent or given up."""
    last_error: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class DeliveryTry(Base):
    """One attempt to reach an endpoint, for its log."""

    __tablename__ = "delivery_try"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    status: Mapped[int | None]
    """The HTTP status; None without an answer."""
    answer: Mapped[str] = mapped_column(String(200))
    """The first printable characters of the answer, or why there is none."""


class Notice(Base):
    """A comment that became visible; the background work turns it into deliveries, only once."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_waiting", "comment_id", sqlite_where=_NOT_DONE, postgresql_where=_NOT_DONE),
    )

    comment_id: Mapped[int] = mapped_column(
        ForeignKey("comment.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    done_up_to: Mapped[str] = mapped_column(String(64), default="")
    """Subscribers whose address hash is not greater have their deliveries."""
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
