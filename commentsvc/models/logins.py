"""Browsers that are signed in, and logins on their way."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import Role, RowId, choice, now
from commentsvc.models.people import Commenter, Identity


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
    """Of what its redeemer holds; of a login, the frame's verifier (domain/accounts/token_hashes.py)."""
    commenter_id: Mapped[int | None] = mapped_column(
        ForeignKey("commenter.id", ondelete="CASCADE"), index=True
    )
    """Who it signs in; None while a login is under way."""
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identity.id", ondelete="CASCADE"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(20))
    role: Mapped[Role | None] = mapped_column(choice(Role))
    """What an invitation gives."""
    state_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Of the OAuth state; finds the login that a provider's answer belongs to."""
    stash: Mapped[dict[str, str] | None] = mapped_column(JSON)
    """A provider's answer that came by a cross-site post, until the browser comes with its cookie."""
    begun_from: Mapped[dict[str, str] | None] = mapped_column(JSON)
    """Where a login was begun: its purpose, and the thread or page that a person goes back to."""
    failure: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    redeemed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    identity: Mapped[Identity | None] = relationship()
