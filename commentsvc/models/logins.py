"""Login sessions, and one-time tickets: links and logins in progress."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import Role, RowId, choice, now
from commentsvc.models.people import Commenter, Identity


class LoginSession(Base):
    """A logged-in browser; the token itself is stored only there."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    commenter_id: Mapped[int] = mapped_column(ForeignKey("commenter.id", ondelete="CASCADE"), index=True)
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identity.id", ondelete="CASCADE"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    """The site that a reader's session is valid for; None for the admin view and the account page."""
    purpose: Mapped[str] = mapped_column(String(20))
    browser: Mapped[str | None] = mapped_column(String(80))
    """How the list of sessions names it, such as "Firefox on Linux"."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)

    commenter: Mapped[Commenter] = relationship(lazy="joined")
    identity: Mapped[Identity | None] = relationship(lazy="joined")


class Ticket(Base):
    """A one-time token: a sign-in or invitation link, or a login that its popup hands over to the frame."""

    __tablename__ = "ticket"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """Hash of what redeems it; for a login, the frame's verifier (domain/accounts/token_hashes.py)."""
    commenter_id: Mapped[int | None] = mapped_column(
        ForeignKey("commenter.id", ondelete="CASCADE"), index=True
    )
    """Who it logs in; None while a login is in progress."""
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identity.id", ondelete="CASCADE"), index=True)
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(20))
    role: Mapped[Role | None] = mapped_column(choice(Role))
    """The role that an invitation grants."""
    state_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Hash of the OAuth state; finds the login that a provider's response belongs to."""
    stash: Mapped[dict[str, str] | None] = mapped_column(JSON)
    """A provider's response that arrived by a cross-site POST, kept until the browser returns with its cookie."""
    begun_from: Mapped[dict[str, str] | None] = mapped_column(JSON)
    """Where a login began: its purpose, and the thread or page that the person returns to."""
    failure: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    redeemed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    identity: Mapped[Identity | None] = relationship()
