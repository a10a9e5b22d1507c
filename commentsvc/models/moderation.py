"""Bans, reports, filter words, the action log, notes and surge episodes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, choice, now
from commentsvc.models.people import Commenter

# At most one episode at a time for a thread, and one for a site, even if two processes detect it at once.
_OF_THREAD = text("ended_at IS NULL AND thread_id IS NOT NULL")
_OF_SITE = text("ended_at IS NULL AND thread_id IS NULL")


class BanKind(StrEnum):
    """What a ban matches."""

    PERSON = "person"
    """A Commenter, by id."""
    AUTHOR = "author"
    """A guest's browser, by the hash of its key."""
    EMAIL = "email"
    NETWORK = "network"
    """An IP address or range, or the hash of a comment's network."""
    DOMAIN = "domain"
    """The domain of the author's website, or of any link."""


class Ban(Base):
    """An author, network or domain whose comments a site refuses, for a time or permanently."""

    __tablename__ = "ban"
    __table_args__ = (UniqueConstraint("site_id", "kind", "value"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    kind: Mapped[BanKind] = mapped_column(choice(BanKind))
    value: Mapped[str] = mapped_column(String(300))
    month: Mapped[str | None] = mapped_column(String(7))
    """The month of a network's hash, such as 2026-11; the hash of a network changes every month."""
    label: Mapped[str] = mapped_column(String(120))
    """How the list of bans names it."""
    reason: Mapped[str] = mapped_column(String(300))
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """None: permanent."""
    moderator_id: Mapped[int | None] = mapped_column(
        ForeignKey("commenter.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    moderator: Mapped[Commenter | None] = relationship()


class Report(Base):
    """A reader's report of a comment."""

    __tablename__ = "report"
    __table_args__ = (UniqueConstraint("comment_id", "reporter_hash"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"))
    reporter_hash: Mapped[str] = mapped_column(String(64))
    """Hash of their account, browser key or network, each of which has one report."""
    member: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether the reporter has an account. All guests of a network count as one."""
    network_hash: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(40))
    note: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class FilterWord(Base):
    """How often a word occurred in comments that the filter learned as spam and as ham."""

    __tablename__ = "filter_word"

    site_id: Mapped[int] = mapped_column(
        ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    word: Mapped[str] = mapped_column(String(80), primary_key=True)
    """The empty word counts the comments themselves."""
    spam: Mapped[int] = mapped_column(default=0)
    ham: Mapped[int] = mapped_column(default=0)


class Action(Base):
    """One action of a moderator, for the audit log and for undoing it; domain/actions.py lists later changes."""

    __tablename__ = "action"
    __table_args__ = (Index("ix_action_log", "site_id", "id"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    moderator_id: Mapped[int | None] = mapped_column(
        ForeignKey("commenter.id", ondelete="SET NULL"), index=True
    )
    """None: the service itself."""
    kind: Mapped[str] = mapped_column(String(40))
    summary: Mapped[str] = mapped_column(String(300))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """The data that undoing needs."""
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    moderator: Mapped[Commenter | None] = relationship()


class Note(Base):
    """A moderator's note about a person, for other moderators."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    about: Mapped[str] = mapped_column(String(300), index=True)
    """`commenter:ID`, or `email:ADDRESS` for a guest."""
    text: Mapped[str] = mapped_column(Text)
    moderator_id: Mapped[int | None] = mapped_column(
        ForeignKey("commenter.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    moderator: Mapped[Commenter | None] = relationship()


class Pressure(Base):
    """A surge episode: a time of abnormally many comments, and the level of protection it triggered."""

    __tablename__ = "pressure"
    __table_args__ = (
        Index("ix_pressure_now", "site_id", "ended_at"),
        Index(
            "ix_pressure_of_thread",
            "thread_id",
            unique=True,
            sqlite_where=_OF_THREAD,
            postgresql_where=_OF_THREAD,
        ),
        Index(
            "ix_pressure_of_site", "site_id", unique=True, sqlite_where=_OF_SITE, postgresql_where=_OF_SITE
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("thread.id", ondelete="CASCADE"), index=True)
    """None: the whole site."""
    step: Mapped[int]
    """As of `hot_at`: 1 holds links, 2 also those sent without script, 3 holds all comments. It falls with time."""
    reason: Mapped[str] = mapped_column(String(300))
    began_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    hot_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    """When comments last came too fast for the step to fall."""
    eased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When a moderator switched the protection off for the rest of this episode."""
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    mailed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Usual(Base):
    """How many comments a site gets in a busy hour; recalculated when it is old."""

    __tablename__ = "usual"

    site_id: Mapped[int] = mapped_column(
        ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    hourly: Mapped[int]
    reckoned_at: Mapped[datetime] = mapped_column(UTCDateTime)
