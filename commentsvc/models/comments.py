"""What people wrote, and what was decided about it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import Kind, Role, RowId, Status, TextFormat, choice, now
from commentsvc.models.people import Commenter
from commentsvc.models.sites import Thread

# Indexes over some rows alone. An engine takes one only for a query in which it finds these very words; for a boolean
# column SQLAlchemy writes `shown` for PostgreSQL and `shown = 1` for SQLite.
_ROOTS = "root_id IS NULL AND kind = 'comment'"
_MENTIONS = "kind != 'comment'"  # pingbacks and trackbacks, which are kept apart from what people wrote here
_HAS_ROOT = text("root_id IS NOT NULL")
_HAS_PARENT = text("parent_id IS NOT NULL")
_HAS_COMMENTER = text("commenter_id IS NOT NULL")
_HAS_GUEST_EMAIL = text("guest_email IS NOT NULL")
_HAS_GUEST_NAME = text("guest_name IS NOT NULL")
_HAS_NETWORK = text("network_hash IS NOT NULL")
_REPORTED = text("reports > 0 AND status IN ('approved', 'held')")
_HAS_ACTION = text("action_id IS NOT NULL")
_HAS_MODERATOR = text("moderator_id IS NOT NULL")


class Comment(Base):
    """What somebody wrote: the source, its rendered form, and where it stands."""

    __tablename__ = "comment"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id", ondelete="CASCADE"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"))
    root_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"))
    """None for a root itself."""
    depth: Mapped[int] = mapped_column(default=0)

    kind: Mapped[Kind] = mapped_column(choice(Kind), default=Kind.COMMENT)
    status: Mapped[Status] = mapped_column(choice(Status))
    shown: Mapped[bool] = mapped_column(default=False)
    """Approved, or a placeholder that carries approved replies."""
    reply_count: Mapped[int] = mapped_column(default=0)
    """On a root: how many approved comments stand below it."""

    format: Mapped[TextFormat] = mapped_column(choice(TextFormat), default=TextFormat.MARKDOWN)
    source: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    renderer: Mapped[int]
    digest: Mapped[str] = mapped_column(String(32))
    """Of the source; finds repeats."""

    commenter_id: Mapped[int | None] = mapped_column(ForeignKey("commenter.id", ondelete="SET NULL"))
    role: Mapped[Role | None] = mapped_column(choice(Role))
    """The writer's role when it was written: the badge."""
    guest_name: Mapped[str | None] = mapped_column(String(80))
    guest_email: Mapped[str | None] = mapped_column(String(254))
    guest_website: Mapped[str | None] = mapped_column(String(500))
    author_key_hash: Mapped[str | None] = mapped_column(String(64))
    """Of a random key that only the writing browser holds."""
    network_hash: Mapped[str | None] = mapped_column(String(64))

    pinned: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Shown above the others, first."""
    featured: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Marked as worth reading."""
    reports: Mapped[int] = mapped_column(default=0, server_default="0")
    """By how many readers."""
    learned: Mapped[Status | None] = mapped_column(choice(Status))
    """As what the local filter has learned it; None: not at all."""

    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    edited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    idempotency_key: Mapped[str | None] = mapped_column(String(64))
    transfer_key: Mapped[str | None] = mapped_column(String(300))
    """Where an import took it from; makes a second import change nothing."""

    thread: Mapped[Thread] = relationship()
    commenter: Mapped[Commenter | None] = relationship()
    parent: Mapped[Comment | None] = relationship(remote_side=[id], foreign_keys=[parent_id])
    decisions: Mapped[list[Decision]] = relationship(
        back_populates="comment", order_by="Decision.id", passive_deletes=True
    )

    __table_args__ = (
        UniqueConstraint("thread_id", "idempotency_key"),
        UniqueConstraint("site_id", "transfer_key"),
        Index(
            "ix_comment_roots",
            "thread_id",
            "created_at",
            "id",
            sqlite_where=text(f"shown = 1 AND {_ROOTS}"),
            postgresql_where=text(f"shown AND {_ROOTS}"),
        ),
        Index(
            "ix_comment_mentions",
            "thread_id",
            "id",
            sqlite_where=text(f"shown = 1 AND {_MENTIONS}"),
            postgresql_where=text(f"shown AND {_MENTIONS}"),
        ),
        # These two also find, for a comment that is deleted, what hangs below it: so shown or not.
        Index(
            "ix_comment_replies", "root_id", "shown", "id", sqlite_where=_HAS_ROOT, postgresql_where=_HAS_ROOT
        ),
        Index("ix_comment_parent_id", "parent_id", sqlite_where=_HAS_PARENT, postgresql_where=_HAS_PARENT),
        # One for each filter of the queue; whose the latest are is asked with every post.
        Index("ix_comment_queue", "site_id", "status", "id", "commenter_id"),
        Index("ix_comment_article", "thread_id", "status", "id"),
        Index("ix_comment_dates", "site_id", "status", "created_at", "id"),
        Index(
            "ix_comment_commenter",
            "commenter_id",
            "site_id",
            "status",
            "id",
            sqlite_where=_HAS_COMMENTER,
            postgresql_where=_HAS_COMMENTER,
        ),
        Index(
            "ix_comment_guest_email",
            "site_id",
            "guest_email",
            "status",
            "id",
            sqlite_where=_HAS_GUEST_EMAIL,
            postgresql_where=_HAS_GUEST_EMAIL,
        ),
        Index(
            "ix_comment_guest_name",
            "site_id",
            "guest_name",
            "status",
            "id",
            sqlite_where=_HAS_GUEST_NAME,
            postgresql_where=_HAS_GUEST_NAME,
        ),
        Index(
            "ix_comment_network",
            "site_id",
            "network_hash",
            "status",
            "id",
            sqlite_where=_HAS_NETWORK,
            postgresql_where=_HAS_NETWORK,
        ),
        Index("ix_comment_reported", "site_id", "id", sqlite_where=_REPORTED, postgresql_where=_REPORTED),
        Index(
            "ix_comment_pinned", "thread_id", sqlite_where=text("pinned = 1"), postgresql_where=text("pinned")
        ),
        Index("ix_comment_repeats", "thread_id", "digest"),
        Index("ix_comment_author_key", "site_id", "author_key_hash"),
    )


class DeletedImport(Base):
    """The transfer key of an imported comment that is deleted by now, so that another import leaves it out."""

    __tablename__ = "deleted_import"

    site_id: Mapped[int] = mapped_column(
        ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    transfer_key: Mapped[str] = mapped_column(String(300), primary_key=True)


class Decision(Base):
    """One moderation verdict on a comment and its reasons; rows are only ever added."""

    __tablename__ = "decision"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), index=True)
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("commenter.id", ondelete="SET NULL"))
    status: Mapped[Status] = mapped_column(choice(Status))
    before: Mapped[Status | None] = mapped_column(choice(Status))
    """What it was; None for a new comment."""
    action_id: Mapped[int | None] = mapped_column(ForeignKey("action.id", ondelete="SET NULL"))
    """The one action that several comments were decided by."""
    learned: Mapped[Status | None] = mapped_column(choice(Status))
    """As what the local filter knew the comment before; what undoing gives back to it."""
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    __table_args__ = (
        Index(
            "ix_decision_by_action", "action_id", "id", sqlite_where=_HAS_ACTION, postgresql_where=_HAS_ACTION
        ),
        Index(
            "ix_decision_moderator_id",
            "moderator_id",
            sqlite_where=_HAS_MODERATOR,
            postgresql_where=_HAS_MODERATOR,
        ),
    )

    comment: Mapped[Comment] = relationship(back_populates="decisions")
    moderator: Mapped[Commenter | None] = relationship()


class Revision(Base):
    """What a comment said before a moderator changed it: kept for a while, so that the change can be undone."""

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
    """The comment's `edited_at` while it said this."""
    edited_after: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """The one that the change gave it: while it has this, nobody has changed it again."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, index=True)
