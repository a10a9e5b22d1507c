"""Comments, their earlier texts, and the decisions about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import Kind, Role, RowId, SocialOrigin, Status, TextFormat, choice, now
from commentsvc.models.people import Commenter
from commentsvc.models.sites import Thread

# Conditions of partial indexes. An engine uses a partial index only for a query that has exactly this condition; for a
# boolean column SQLAlchemy writes `shown` for PostgreSQL and `shown = 1` for SQLite.
_ROOTS = "root_id IS NULL AND kind = 'comment'"
_MENTIONS = "kind != 'comment'"  # pingbacks and trackbacks, which pages list separately
_HAS_ROOT = text("root_id IS NOT NULL")
_HAS_PARENT = text("parent_id IS NOT NULL")
_HAS_COMMENTER = text("commenter_id IS NOT NULL")
_HAS_GUEST_EMAIL = text("guest_email IS NOT NULL")
_HAS_GUEST_NAME = text("guest_name IS NOT NULL")
_HAS_RECEIPT = text("receipt_hash IS NOT NULL")
_HAS_NETWORK = text("network_hash IS NOT NULL")
_REPORTED = text("reports > 0 AND status IN ('approved', 'held')")
_HAS_ACTION = text("action_id IS NOT NULL")
_HAS_MODERATOR = text("moderator_id IS NOT NULL")
_HAS_ORIGIN_KEY = text("origin_key IS NOT NULL")
_HAS_PICTURE = text("origin_picture_digest IS NOT NULL")
_WANTS_PICTURE = text("origin_picture IS NOT NULL AND origin_picture_digest IS NULL")


AUTHOR_COLUMNS = (
    "commenter_id",
    "role",
    "guest_name",
    "guest_email",
    "guest_website",
    "mention_title",
    "author_key_hash",
    "receipt_hash",
    "network_hash",
    "idempotency_key",
    "origin_key",
    "origin_url",
    "origin_author",
    "origin_picture",
    "origin_picture_digest",
    "content_warning",
)
"""Everything about the author of a comment: their name, and what could identify them, their browser or network."""


class Comment(Base):
    """A comment: its source, its rendered HTML, its author, status and place in the thread."""

    __tablename__ = "comment"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id", ondelete="CASCADE"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"))
    root_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"))
    """None for a root."""
    depth: Mapped[int] = mapped_column(default=0)

    kind: Mapped[Kind] = mapped_column(choice(Kind), default=Kind.COMMENT)
    status: Mapped[Status] = mapped_column(choice(Status))
    shown: Mapped[bool] = mapped_column(default=False)
    """Approved, or a placeholder that carries approved replies."""
    reply_count: Mapped[int] = mapped_column(default=0)
    """On a root: the number of approved comments below it."""

    format: Mapped[TextFormat] = mapped_column(choice(TextFormat), default=TextFormat.MARKDOWN)
    source: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    renderer: Mapped[int]
    digest: Mapped[str] = mapped_column(String(32))
    """Hash of the source; finds duplicates."""

    commenter_id: Mapped[int | None] = mapped_column(ForeignKey("commenter.id", ondelete="SET NULL"))
    role: Mapped[Role | None] = mapped_column(choice(Role))
    """The author's role when they wrote it, shown as a badge."""
    guest_name: Mapped[str | None] = mapped_column(String(80))
    guest_email: Mapped[str | None] = mapped_column(String(254))
    guest_website: Mapped[str | None] = mapped_column(String(500))
    mention_title: Mapped[str | None] = mapped_column(String(300))
    """The title of the page that mentions the article, on a pingback, if `guest_name` has no room for it."""
    author_key_hash: Mapped[str | None] = mapped_column(String(64))
    """Hash of a random key that only the author's browser has."""
    receipt_hash: Mapped[str | None] = mapped_column(String(64))
    """Hash of the token in a guest's private link to their comment; None for members' and imported comments."""
    network_hash: Mapped[str | None] = mapped_column(String(64))
    proved: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The author had proved `guest_email` from this browser."""
    search_text: Mapped[str | None] = mapped_column(Text, deferred=True)
    """The words by which it is found: see `models/searched.py`."""

    pinned: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Shown first, above the others."""
    featured: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Marked as worth reading."""
    reports: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many readers reported it."""
    ups: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many likes or votes up count for it, with those that it had elsewhere."""
    downs: Mapped[int] = mapped_column(default=0, server_default="0")
    score: Mapped[int] = mapped_column(default=0, server_default="0")
    """Its place in the order "best", from `ups` and `downs`: see `domain/votes/scores.py`."""
    liked_by_owner: Mapped[bool] = mapped_column(default=False, server_default=false())
    learned: Mapped[Status | None] = mapped_column(choice(Status))
    """The status under which the local filter has learned it; None if it has not."""

    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    edited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When its author had its text and all details of theirs erased: it stays in the trash, whatever is undone."""
    idempotency_key: Mapped[str | None] = mapped_column(String(64))
    transfer_key: Mapped[str | None] = mapped_column(String(300))
    """Identifies the imported original, so that a second import changes nothing."""

    origin: Mapped[SocialOrigin | None] = mapped_column(choice(SocialOrigin))
    """Where it was written; None if here."""
    origin_key: Mapped[str | None] = mapped_column(String(1000))
    """What identifies it there: a URI of ActivityPub, an at-URI, or the page's address."""
    origin_url: Mapped[str | None] = mapped_column(String(2000))
    origin_author: Mapped[str | None] = mapped_column(String(300))
    """Its author there: `name@host`, a DID, or the host of a page."""
    origin_picture: Mapped[str | None] = mapped_column(String(1000))
    """The address of its author's picture, which only the service requests."""
    origin_picture_digest: Mapped[str | None] = mapped_column(String(16))
    """Our copy of it; None if none was made yet."""
    content_warning: Mapped[str | None] = mapped_column(String(500))

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
            "ix_comment_best",
            "thread_id",
            "score",
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
        # These two also find the descendants of a comment that is being deleted, so they cover hidden comments too.
        Index(
            "ix_comment_replies", "root_id", "shown", "id", sqlite_where=_HAS_ROOT, postgresql_where=_HAS_ROOT
        ),
        Index("ix_comment_parent_id", "parent_id", sqlite_where=_HAS_PARENT, postgresql_where=_HAS_PARENT),
        # One for each filter of the queue; every post also looks up the latest comments of its author.
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
        Index(
            "ix_comment_origin",
            "thread_id",
            "origin_key",
            unique=True,
            sqlite_where=_HAS_ORIGIN_KEY,
            postgresql_where=_HAS_ORIGIN_KEY,
        ),
        Index(
            "ix_comment_picture",
            "origin_picture_digest",
            sqlite_where=_HAS_PICTURE,
            postgresql_where=_HAS_PICTURE,
        ),
        Index("ix_comment_pictures", "id", sqlite_where=_WANTS_PICTURE, postgresql_where=_WANTS_PICTURE),
        Index("ix_comment_repeats", "thread_id", "digest"),
        Index("ix_comment_author_key", "site_id", "author_key_hash"),
        Index(
            "ix_comment_receipt",
            "receipt_hash",
            unique=True,
            sqlite_where=_HAS_RECEIPT,
            postgresql_where=_HAS_RECEIPT,
        ),
    )


class DeletedImport(Base):
    """The transfer key of an imported comment that was deleted, so that another import skips it."""

    __tablename__ = "deleted_import"

    site_id: Mapped[int] = mapped_column(
        ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    transfer_key: Mapped[str] = mapped_column(String(300), primary_key=True)


class Decision(Base):
    """One moderation verdict on a comment and its reasons. Only emptying the comment or the filter changes it."""

    __tablename__ = "decision"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), index=True)
    moderator_id: Mapped[int | None] = mapped_column(ForeignKey("commenter.id", ondelete="SET NULL"))
    status: Mapped[Status] = mapped_column(choice(Status))
    before: Mapped[Status | None] = mapped_column(choice(Status))
    """The status before; None for a new comment."""
    action_id: Mapped[int | None] = mapped_column(ForeignKey("action.id", ondelete="SET NULL"))
    """The action that this decision is part of; an action may decide on several comments."""
    learned: Mapped[Status | None] = mapped_column(choice(Status))
    """`Comment.learned` before the decision, which undoing restores."""
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
