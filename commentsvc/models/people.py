"""People with an account: their pictures, identities and roles."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, Text, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import Role, RowId, choice, now


class Commenter(Base):
    """A person with an account; guests have none."""

    __tablename__ = "commenter"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    search_text: Mapped[str | None] = mapped_column(Text, deferred=True)
    """The words by which it is found: see `models/searched.py`."""
    website: Mapped[str | None] = mapped_column(String(500))
    language: Mapped[str | None] = mapped_column(String(35))
    """In which they want to read their account and the admin view; None for what their browser asks for."""
    show_picture: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class Picture(Base):
    """A Commenter's picture, re-encoded by us; the provider's URL is not stored."""

    __tablename__ = "picture"

    commenter_id: Mapped[int] = mapped_column(
        ForeignKey("commenter.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    data: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(String(16))
    fetched_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class Identity(Base):
    """A login of a Commenter at one provider."""

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("provider", "issuer", "subject"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    commenter_id: Mapped[int] = mapped_column(ForeignKey("commenter.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str] = mapped_column(String(40))
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(300))
    name: Mapped[str | None] = mapped_column(String(80))
    """The name that the provider last gave."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    commenter: Mapped[Commenter] = relationship()


class Registration(Base):
    """Our registration as an OAuth client at one Mastodon instance, made at the first login there."""

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
    role: Mapped[Role] = mapped_column(choice(Role))
