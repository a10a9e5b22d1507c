"""The tables, in the words of the design. Rules live in domain/; here is only what is stored."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Enum,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from commentsvc.db import Base, UTCDateTime

# SQLite numbers rows by itself only in an INTEGER column.
RowId = BigInteger().with_variant(Integer, "sqlite")


def now() -> datetime:
    """Return the present time, in UTC."""
    return datetime.now(UTC)


def _choice(kind: type[StrEnum]) -> Enum:
    """A choice stored as its word, so that a new one needs no migration."""
    return Enum(
        kind, native_enum=False, length=20, values_callable=lambda kind: [item.value for item in kind]
    )


class Policy(StrEnum):
    """Who may comment on a site without waiting."""

    OPEN = "open"
    HOLD_FIRST = "hold_first"
    HOLD_ALL = "hold_all"
    CLOSED = "closed"


class FieldRule(StrEnum):
    """Whether the guest form asks for a detail."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    OFF = "off"


class Order(StrEnum):
    OLDEST = "oldest"
    NEWEST = "newest"


class Status(StrEnum):
    APPROVED = "approved"
    HELD = "held"
    SPAM = "spam"
    TRASH = "trash"


class Kind(StrEnum):
    COMMENT = "comment"
    PINGBACK = "pingback"
    TRACKBACK = "trackback"


class TextFormat(StrEnum):
    MARKDOWN = "markdown"
    HTML = "html"  # imported only


class Role(StrEnum):
    OWNER = "owner"
    MODERATOR = "moderator"


class Site(Base):
    """A website that embeds us."""

    __tablename__ = "site"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    heading: Mapped[str] = mapped_column(String(80), default="Leave a Reply")
    policy: Mapped[Policy] = mapped_column(_choice(Policy), default=Policy.HOLD_FIRST)
    order: Mapped[Order] = mapped_column(_choice(Order), default=Order.OLDEST)
    email_field: Mapped[FieldRule] = mapped_column(_choice(FieldRule), default=FieldRule.REQUIRED)
    name_field: Mapped[FieldRule] = mapped_column(_choice(FieldRule), default=FieldRule.REQUIRED)
    website_field: Mapped[FieldRule] = mapped_column(_choice(FieldRule), default=FieldRule.OPTIONAL)
    close_after_days: Mapped[int | None]
    guests: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether somebody may comment without logging in."""
    sso_secret: Mapped[str | None] = mapped_column(String(64))
    """With which the site signs its own users in."""

    origins: Mapped[list[Origin]] = relationship(
        back_populates="site", cascade="all, delete-orphan", order_by="Origin.id", lazy="selectin"
    )


class Origin(Base):
    """scheme://host[:port] of pages that may embed a site's threads; belongs to one site only."""

    __tablename__ = "origin"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    origin: Mapped[str] = mapped_column(String(300), unique=True)

    site: Mapped[Site] = relationship(back_populates="origins")


class Thread(Base):
    """The discussion of one article: a site and a key."""

    __tablename__ = "thread"
    __table_args__ = (UniqueConstraint("site_id", "key"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(2000))
    url: Mapped[str] = mapped_column(String(2000))
    title: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    version: Mapped[int] = mapped_column(default=0)
    approved_count: Mapped[int] = mapped_column(default=0)

    site: Mapped[Site] = relationship()


class Commenter(Base):
    """A person with an account here; guests have none."""

    __tablename__ = "commenter"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    website: Mapped[str | None] = mapped_column(String(500))
    show_picture: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class Picture(Base):
    """A Commenter's picture, re-encoded by us; its provider's address is not kept."""

    __tablename__ = "picture"

    commenter_id: Mapped[int] = mapped_column(
        ForeignKey("commenter.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    data: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(String(16))
    fetched_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class Identity(Base):
    """How a Commenter proves who they are."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("provider", "issuer", "subject"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    commenter_id: Mapped[int] = mapped_column(ForeignKey("commenter.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str] = mapped_column(String(40))
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(300))
    name: Mapped[str | None] = mapped_column(String(80))
    """As the provider last gave it."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    commenter: Mapped[Commenter] = relationship()


class Registration(Base):
    """This service as an application of one Mastodon instance, made when its first person logged in."""

    __tablename__ = "registration"

    host: Mapped[str] = mapped_column(String(253), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(300))
    client_secret: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class Membership(Base):
    """The role of a Commenter on a Site."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("commenter_id", "site_id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    commenter_id: Mapped[int] = mapped_column(ForeignKey("commenter.id", ondelete="CASCADE"))
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    role: Mapped[Role] = mapped_column(_choice(Role))


class LoginSession(Base):
    """A browser that is signed in; the token itself is only in its cookie."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    commenter_id: Mapped[int] = mapped_column(ForeignKey("commenter.id", ondelete="CASCADE"), index=True)
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identity.id", ondelete="CASCADE"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    """Where a reader's session holds; None for the admin view and the person's own page."""
    purpose: Mapped[str] = mapped_column(String(20))
    browser: Mapped[str | None] = mapped_column(String(80))
    """What its owner knows it by in the list of sessions, such as "Firefox on Linux"."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)

    commenter: Mapped[Commenter] = relationship(lazy="joined")
    identity: Mapped[Identity | None] = relationship(lazy="joined")


class Ticket(Base):
    """A one-time hand-over: of a link to whoever opens it, or of a login from its popup to the frame."""

    __tablename__ = "ticket"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of what its redeemer holds; for a login, the challenge made of the frame's verifier."""
    commenter_id: Mapped[int | None] = mapped_column(
        ForeignKey("commenter.id", ondelete="CASCADE"), index=True
    )
    """Who it signs in; None while a login is under way."""
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identity.id", ondelete="CASCADE"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(20))
    role: Mapped[Role | None] = mapped_column(_choice(Role))
    """What an invitation gives."""
    state_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Of the OAuth state; finds the login that a provider's answer belongs to."""
    stash: Mapped[dict[str, str] | None] = mapped_column(JSON)
    """A provider's answer that came by a cross-site post, until the browser comes with its cookie."""
    failure: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    redeemed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    identity: Mapped[Identity | None] = relationship()


# Pingbacks and trackbacks are kept apart from what people wrote here. An engine takes a partial index only for
# a query in which it finds these very words, and SQLAlchemy writes a truth as `shown = 1` for SQLite.
_SHOWN, _SHOWN_SQLITE = "shown", "shown = 1"
_ROOTS = "root_id IS NULL AND kind = 'comment'"
_MENTIONS = "kind != 'comment'"


class Comment(Base):
    """What somebody wrote: the source, its rendered form, and where it stands."""

    __tablename__ = "comment"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id", ondelete="CASCADE"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), index=True)
    root_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"))
    """None for a root itself."""
    depth: Mapped[int] = mapped_column(default=0)

    kind: Mapped[Kind] = mapped_column(_choice(Kind), default=Kind.COMMENT)
    status: Mapped[Status] = mapped_column(_choice(Status))
    shown: Mapped[bool] = mapped_column(default=False)
    """Approved, or a placeholder that carries approved replies."""
    reply_count: Mapped[int] = mapped_column(default=0)
    """On a root: how many approved comments stand below it."""

    format: Mapped[TextFormat] = mapped_column(_choice(TextFormat), default=TextFormat.MARKDOWN)
    source: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    renderer: Mapped[int]
    digest: Mapped[str] = mapped_column(String(32))
    """Of the source; finds repeats."""

    commenter_id: Mapped[int | None] = mapped_column(
        ForeignKey("commenter.id", ondelete="SET NULL"), index=True
    )
    role: Mapped[Role | None] = mapped_column(_choice(Role))
    """The writer's role when it was written: the badge."""
    guest_name: Mapped[str | None] = mapped_column(String(80))
    guest_email: Mapped[str | None] = mapped_column(String(254))
    guest_website: Mapped[str | None] = mapped_column(String(500))
    author_key_hash: Mapped[str | None] = mapped_column(String(64))
    """Of a random key that only the writing browser holds."""
    network_hash: Mapped[str | None] = mapped_column(String(64))

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
            sqlite_where=text(f"{_SHOWN_SQLITE} AND {_ROOTS}"),
            postgresql_where=text(f"{_SHOWN} AND {_ROOTS}"),
        ),
        Index(
            "ix_comment_mentions",
            "thread_id",
            "id",
            sqlite_where=text(f"{_SHOWN_SQLITE} AND {_MENTIONS}"),
            postgresql_where=text(f"{_SHOWN} AND {_MENTIONS}"),
        ),
        Index(
            "ix_comment_replies",
            "root_id",
            "id",
            sqlite_where=text(_SHOWN_SQLITE),
            postgresql_where=text(_SHOWN),
        ),
        Index("ix_comment_queue", "site_id", "status", "id"),
        Index("ix_comment_repeats", "thread_id", "digest"),
        Index("ix_comment_author_key", "site_id", "author_key_hash"),
    )


class Decision(Base):
    """One moderation verdict on a comment and its reasons; rows are only ever added."""

    __tablename__ = "decision"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"), index=True)
    moderator_id: Mapped[int | None] = mapped_column(
        ForeignKey("commenter.id", ondelete="SET NULL"), index=True
    )
    status: Mapped[Status] = mapped_column(_choice(Status))
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    comment: Mapped[Comment] = relationship(back_populates="decisions")
    moderator: Mapped[Commenter | None] = relationship()
