"""Endpoints: the addresses outside that a site tells what happened, by webhook, chat message or build hook."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, choice, now
from commentsvc.models.sites import Site


class EndpointKind(StrEnum):
    WEBHOOK = "webhook"
    SLACK = "slack"
    """Also Mattermost and Rocket.Chat, which have the same form."""
    DISCORD = "discord"
    TELEGRAM = "telegram"
    NTFY = "ntfy"
    MATRIX = "matrix"
    BUILD = "build"
    """A POST to a secret URL: Netlify, Vercel, Cloudflare Pages."""
    GITHUB = "github"
    """A `repository_dispatch` event."""


CHATS = frozenset(
    {
        EndpointKind.SLACK,
        EndpointKind.DISCORD,
        EndpointKind.TELEGRAM,
        EndpointKind.NTFY,
        EndpointKind.MATRIX,
    }
)
BUILDS = frozenset({EndpointKind.BUILD, EndpointKind.GITHUB})


class Event(StrEnum):
    """What an endpoint is told."""

    CREATED = "comment.created"
    """A comment was stored, and is visible or held."""
    HELD = "comment.held"
    """A comment waits for a decision."""
    PUBLISHED = "comment.published"
    EDITED = "comment.edited"
    REMOVED = "comment.removed"
    """A comment is no longer visible, or was erased for good."""
    REPORTED = "comment.reported"
    CLOSED = "thread.closed"
    SURGE_BEGAN = "surge.began"
    SURGE_ENDED = "surge.ended"
    TEST = "endpoint.test"
    """An owner asked for it."""


class OffReason(StrEnum):
    """Why an endpoint gets nothing."""

    OWNER = "owner"
    GONE = "gone"
    """It answered 410."""
    FAILING = "failing"
    """It failed for days."""
    KEY = "key"
    """The service's secret key was changed, so that nobody can read its URL."""


class Endpoint(Base):
    """An address that is told of a site's events."""

    __tablename__ = "endpoint"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    commenter_id: Mapped[int | None] = mapped_column(
        ForeignKey("commenter.id", ondelete="SET NULL"), index=True
    )
    """The owner who set it up, in whose name its links decide on comments."""
    kind: Mapped[EndpointKind] = mapped_column(choice(EndpointKind))
    name: Mapped[str] = mapped_column(String(80))
    host: Mapped[str] = mapped_column(String(255))
    """Of its URL, to be shown; the URL itself is often a secret."""
    sealed: Mapped[str] = mapped_column(Text)
    """Its URL, tokens and signing secrets, encrypted: see `integrations/sealing.py`."""
    events: Mapped[str] = mapped_column(String(300), default=" ")
    """Words with a space before and after each."""
    has_links: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether a chat message has links that decide on the comment, for everybody who reads it."""
    off_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    off_reason: Mapped[OffReason | None] = mapped_column(choice(OffReason))
    failing_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it first failed since it last worked."""
    paused_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Nothing is sent before, because the last request failed."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    site: Mapped[Site] = relationship()

    @property
    def wants(self) -> set[Event]:
        """The events that it is told."""
        return {Event(word) for word in self.events.split()}
