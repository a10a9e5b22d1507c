"""Tokens for programs that use the API, and the answers that are given again to a repeated request."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, now
from commentsvc.models.people import Commenter
from commentsvc.models.sites import Site


class TokenScope(StrEnum):
    """What a token may be used for."""

    READ = "read"
    MODERATE = "moderate"
    WRITE = "write"
    EXPORT = "export"


class ApiToken(Base):
    """A program's token. It acts on its sites for the person who made it, with at most the rights they have there."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    commenter_id: Mapped[int] = mapped_column(ForeignKey("commenter.id", ondelete="CASCADE"), index=True)
    """Who made it."""
    name: Mapped[str] = mapped_column(String(80))
    """How the log of actions names it."""
    token_hash: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """None: it does not expire."""
    last_used_on: Mapped[date | None]
    """The day in UTC: an exact time would record when somebody works."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    commenter: Mapped[Commenter] = relationship()
    sites: Mapped[list[Site]] = relationship(secondary="api_token_site", order_by=Site.name, viewonly=True)


class ApiTokenSite(Base):
    """A site on which a token may be used."""

    __tablename__ = "api_token_site"

    token_id: Mapped[int] = mapped_column(
        ForeignKey("api_token.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    site_id: Mapped[int] = mapped_column(
        ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, autoincrement=False, index=True
    )


class ApiAnswer(Base):
    """The answer to a request with an Idempotency-Key, for a day: numbers and words of ours, no personal data."""

    __tablename__ = "api_answer"
    __table_args__ = (UniqueConstraint("token_id", "key_hash"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    token_id: Mapped[int] = mapped_column(ForeignKey("api_token.id", ondelete="CASCADE"))
    key_hash: Mapped[str] = mapped_column(String(64))
    request_hash: Mapped[str] = mapped_column(String(64))
    """A keyed hash of what was sent, which tells a repetition from another request."""
    status: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, index=True)
