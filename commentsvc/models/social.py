"""What connects articles with posts elsewhere: links to posts, articles to look at, webmentions, pictures."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import FoundBy, MentionKind, MentionState, RowId, SocialOrigin, choice, now
from commentsvc.models.sites import Thread

_IS_LOOK_WANTED = text("wanted_at IS NOT NULL")
_IS_LINK_WANTED = text("wanted_at IS NOT NULL AND stopped_at IS NULL")
_IS_MENTION_DUE = text("due_at IS NOT NULL")


class SocialLink(Base):
    """A post on a social network whose answers belong to an article's thread."""

    __tablename__ = "social_link"
    __table_args__ = (
        UniqueConstraint("thread_id", "address"),
        Index("ix_social_link_due", "due_at", sqlite_where=_IS_LINK_WANTED, postgresql_where=_IS_LINK_WANTED),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id", ondelete="CASCADE"))
    origin: Mapped[SocialOrigin] = mapped_column(choice(SocialOrigin))
    address: Mapped[str] = mapped_column(String(500))
    """The post's address on its network."""
    found_by: Mapped[FoundBy] = mapped_column(choice(FoundBy))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    """When the network may be asked next, if a reader wants to see the answers."""
    wanted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When a reader opened the article after it was due; None until then: only read articles cause requests."""
    asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(default=0)
    """How often it was asked since it was connected or started again."""
    likes: Mapped[int] = mapped_column(default=0)
    boosts: Mapped[int] = mapped_column(default=0)
    etag: Mapped[str | None] = mapped_column(String(300))
    error: Mapped[str | None] = mapped_column(String(300))
    """What the last request failed with, as a sentence; None if it did not."""
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    """When it was connected or started again: it is not asked for ever."""
    stopped_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    thread: Mapped[Thread] = relationship()


class ArticleLook(Base):
    """An article that a reader opened, whose page may name its posts on social networks."""

    __tablename__ = "article_look"
    __table_args__ = (
        Index(
            "ix_article_look_wanted",
            "wanted_at",
            sqlite_where=_IS_LOOK_WANTED,
            postgresql_where=_IS_LOOK_WANTED,
        ),
    )

    site_id: Mapped[int] = mapped_column(
        ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the thread's key."""
    page_id: Mapped[str] = mapped_column(String(300), default="")
    url: Mapped[str] = mapped_column(String(2000))
    wanted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When a reader opened it after it was due to be read; None until then."""
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tries: Mapped[int] = mapped_column(default=0)


class Webmention(Base):
    """A page elsewhere that says it mentions an article."""

    __tablename__ = "webmention"
    __table_args__ = (
        Index("ix_webmention_due", "due_at", sqlite_where=_IS_MENTION_DUE, postgresql_where=_IS_MENTION_DUE),
        Index("ix_webmention_host", "site_id", "source_host", "received_at"),
        Index("ix_webmention_thread", "thread_id", "kind"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("thread.id", ondelete="SET NULL"))
    """None until it is verified."""
    pair_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of source and target, which identify a webmention."""
    source: Mapped[str] = mapped_column(String(2000))
    target: Mapped[str] = mapped_column(String(2000))
    source_host: Mapped[str] = mapped_column(String(253))
    state: Mapped[MentionState] = mapped_column(choice(MentionState), default=MentionState.WAITING)
    kind: Mapped[MentionKind | None] = mapped_column(choice(MentionKind))
    """None until it is verified."""
    key: Mapped[str | None] = mapped_column(String(1000))
    """The `origin_key` of its comment."""
    error: Mapped[str | None] = mapped_column(String(300))
    """Why it was refused, as a sentence."""
    received_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When its source is read next; None for never."""
    tries: Mapped[int] = mapped_column(default=0)
    """How often reading it failed since it was last received."""
    checks: Mapped[int] = mapped_column(default=0)
    """How often it was read again after it was verified."""


class ForeignPicture(Base):
    """A small copy of a picture of somebody who wrote elsewhere, made by the service."""

    __tablename__ = "foreign_picture"

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the address it came from."""
    digest: Mapped[str | None] = mapped_column(String(16), index=True)
    """None if there was no picture at the address."""
    data: Mapped[bytes | None] = mapped_column(LargeBinary)
    fetched_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
