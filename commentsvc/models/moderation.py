"""What moderators do besides deciding on comments, and what helps them decide."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.models.columns import RowId, choice, now
from commentsvc.models.people import Commenter

# A thread, and a site, are under one pressure at a time, whoever notices it first.
_OF_THREAD = text("ended_at IS NULL AND thread_id IS NOT NULL")
_OF_SITE = text("ended_at IS NULL AND thread_id IS NULL")


class BanKind(StrEnum):
    """What a ban holds for."""

    PERSON = "person"
    """A Commenter, by id."""
    AUTHOR = "author"
    """A guest's browser, by the hash of its key."""
    EMAIL = "email"
    NETWORK = "network"
    """An address or a range, or the hash of the one a comment came from."""
    DOMAIN = "domain"
    """Of a website, or of any link."""


class Ban(Base):
    """Somebody or something whose comments a site does not want, for a time or for good."""

    __tablename__ = "ban"
    __table_args__ = (UniqueConstraint("site_id", "kind", "value"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    kind: Mapped[BanKind] = mapped_column(choice(BanKind))
    value: Mapped[str] = mapped_column(String(300))
    month: Mapped[str | None] = mapped_column(String(7))
    """Of a network's hash, such as 2026-11: with another month the same network has another one."""
    label: Mapped[str] = mapped_column(String(120))
    """What moderators know it by."""
    reason: Mapped[str] = mapped_column(String(300))
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """None: for good."""
    moderator_id: Mapped[int | None] = mapped_column(
        ForeignKey("commenter.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    moderator: Mapped[Commenter | None] = relationship()


class Report(Base):
    """A reader's word that a comment should not be there."""

    __tablename__ = "report"
    __table_args__ = (UniqueConstraint("comment_id", "reporter_hash"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id", ondelete="CASCADE"))
    reporter_hash: Mapped[str] = mapped_column(String(64))
    """Of their account, browser key or network: one report each."""
    member: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it was an account. All guests of a network have one voice."""
    network_hash: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(40))
    note: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)


class FilterWord(Base):
    """How often a word or sign stood in comments that moderators took for spam, or did not."""

    __tablename__ = "filter_word"

    site_id: Mapped[int] = mapped_column(
        ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    word: Mapped[str] = mapped_column(String(80), primary_key=True)
    """The empty word counts the comments themselves."""
    spam: Mapped[int] = mapped_column(default=0)
    ham: Mapped[int] = mapped_column(default=0)


class Action(Base):
    """One thing a moderator did: the audit log, and what can be undone. Rows are only ever added."""

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
    """What undoing needs."""
    undone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    moderator: Mapped[Commenter | None] = relationship()


class Note(Base):
    """A moderator's remark about a person, for other moderators."""

    __tablename__ = "note"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    about: Mapped[str] = mapped_column(String(300), index=True)
    """`commenter:ID`, or `email:ADDRESS` of a guest."""
    text: Mapped[str] = mapped_column(Text)
    moderator_id: Mapped[int | None] = mapped_column(
        ForeignKey("commenter.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)

    moderator: Mapped[Commenter | None] = relationship()


class Pressure(Base):
    """A time during which comments came at an abnormal rate, and how much friction that brought."""

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
    """As of `hot_at`: 1 holds links, 2 asks browsers for work, 3 holds all. It falls with time."""
    reason: Mapped[str] = mapped_column(String(300))
    began_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    hot_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    """When comments last came too fast for the step to fall."""
    eased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When a moderator took the friction away, for as long as this lasts."""
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    mailed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Usual(Base):
    """How many comments a busy hour brings to a site; reckoned anew when it has grown old."""

    __tablename__ = "usual"

    site_id: Mapped[int] = mapped_column(
        ForeignKey("site.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    hourly: Mapped[int]
    reckoned_at: Mapped[datetime] = mapped_column(UTCDateTime)
