"""Who wants to hear by mail of what, with the record of their consent; and which addresses get no mail."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, choice, now
from commentsvc.models.people import Commenter
from commentsvc.models.sites import Site, Thread

_HAS_COMMENTER = text("commenter_id IS NOT NULL")
_WHOLE_SITE = text("thread_id IS NULL")
_UNCONFIRMED = text("confirmed_at IS NULL")


class SubscriptionKind(StrEnum):
    """What a subscription is about."""

    THREAD = "thread"
    """All new comments of one article."""
    REPLIES = "replies"
    """The answers to the subscriber's own comments on one article."""
    POSTS = "posts"
    """New articles of the site."""
    HELD = "held"
    """Comments of the site that wait for a decision; its commenter is a moderator."""


class Frequency(StrEnum):
    AT_ONCE = "at_once"
    DAILY = "daily"


class EndReason(StrEnum):
    """How a subscription ended."""

    LINK = "link"
    """By the button of one of our pages."""
    ONE_CLICK = "one_click"
    """By the mail program's own button."""
    BOUNCE = "bounce"
    REFUSED = "refused"
    """The owner of the address did not ask for it, and says so."""


class Subscription(Base):
    """One address, and what it wants to hear of; mail is sent only between confirmation and end."""

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("thread_id", "kind", "address_hash"),
        Index(
            "ix_subscription_whole_site",
            "site_id",
            "kind",
            "address_hash",
            unique=True,
            sqlite_where=_WHOLE_SITE,
            postgresql_where=_WHOLE_SITE,
        ),
        Index(
            "ix_subscription_commenter_id",
            "commenter_id",
            sqlite_where=_HAS_COMMENTER,
            postgresql_where=_HAS_COMMENTER,
        ),
        Index(
            "ix_subscription_unconfirmed",
            "requested_at",
            sqlite_where=_UNCONFIRMED,
            postgresql_where=_UNCONFIRMED,
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("thread.id", ondelete="CASCADE"))
    """None if it is about the whole site."""
    kind: Mapped[SubscriptionKind] = mapped_column(choice(SubscriptionKind))
    address: Mapped[str | None] = mapped_column(String(254))
    """None once it has ended, after the time in which that can be undone."""
    address_hash: Mapped[str] = mapped_column(String(64), index=True)
    """Keyed hash of the address, by the key that lasts."""
    commenter_id: Mapped[int | None] = mapped_column(ForeignKey("commenter.id", ondelete="CASCADE"))
    author_key_hash: Mapped[str | None] = mapped_column(String(64))
    """The browser of the guest who asked, so that they get no mail about their own comments."""
    token: Mapped[str] = mapped_column(String(32), unique=True)
    """Random, in the links of its mails: it never expires, so it is stored as it is."""
    confirm_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Hash of the token in the confirmation mail that was sent last."""
    frequency: Mapped[Frequency] = mapped_column(choice(Frequency), default=Frequency.AT_ONCE)
    title: Mapped[str | None] = mapped_column(String(200))
    """The article's title in the first mail: mail programs group by subject, so that it stays."""
    language: Mapped[str] = mapped_column(String(35), default="en")

    wording: Mapped[int] = mapped_column(default=1)
    """The version of the words beside the box that was ticked."""
    requested_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When a confirmation mail about it was last stored for sending."""
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    ended_by: Mapped[EndReason | None] = mapped_column(choice(EndReason))

    site: Mapped[Site] = relationship()
    thread: Mapped[Thread | None] = relationship()
    commenter: Mapped[Commenter | None] = relationship()

    @property
    def is_active(self) -> bool:
        """Whether mail may be sent for it."""
        return self.confirmed_at is not None and self.ended_at is None and self.address is not None


class ConfirmationCount(Base):
    """How many confirmation mails an address got for a site without confirming; it may get three."""

    __tablename__ = "confirmation_count"

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    site_id: Mapped[int] = mapped_column(
        ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True
    )
    times: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class SuppressionReason(StrEnum):
    """Why an address gets no mail."""

    ASKED = "asked"
    """It ended everything. A new tick sends a confirmation mail, and confirming lifts it."""
    UNWANTED = "unwanted"
    """Its owner did not ask for our confirmation mail: it never gets another one."""
    BOUNCED = "bounced"
    """The mail server said that it does not exist."""
    REFUSED = "refused"
    """The mail server refused mail for it; effective from the third time."""


class Suppression(Base):
    """An address that gets no mail, known by its keyed hash only."""

    __tablename__ = "suppression"
    __table_args__ = (Index("ix_suppression_address", "address_hash", "site_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    address_hash: Mapped[str] = mapped_column(String(64))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    """None: no mail of any site."""
    reason: Mapped[SuppressionReason] = mapped_column(choice(SuppressionReason))
    times: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
