"""Sites, their origins, and the threads of their articles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, String, Text, UniqueConstraint, event, text, true
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.match_keys import match_key
from commentsvc.models.columns import FieldRule, Order, Policy, RowId, TitleSource, choice, now

_TITLE_DUE = text("title_tries > 0")


def _match_key(context: Any) -> str:
    """Return the form in which a new row's key is compared, for a site without a list of its own."""
    return match_key(context.get_current_parameters()["key"])


class Site(Base):
    """A website that embeds us."""

    __tablename__ = "site"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    heading: Mapped[str] = mapped_column(String(80), default="Leave a Reply")
    policy: Mapped[Policy] = mapped_column(choice(Policy), default=Policy.HOLD_FIRST)
    order: Mapped[Order] = mapped_column(choice(Order), default=Order.OLDEST)
    email_field: Mapped[FieldRule] = mapped_column(choice(FieldRule), default=FieldRule.REQUIRED)
    name_field: Mapped[FieldRule] = mapped_column(choice(FieldRule), default=FieldRule.REQUIRED)
    website_field: Mapped[FieldRule] = mapped_column(choice(FieldRule), default=FieldRule.OPTIONAL)
    close_after_days: Mapped[int | None]
    guests: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether somebody may comment without logging in."""
    sso_secret: Mapped[str | None] = mapped_column(String(64))
    """With which the site signs its own users in."""
    ignored_parameters: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Arguments of its addresses that tell no articles apart, one a line, as `ignored_parameters.checked` has them."""

    moderation_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Words, one a line, that hold a comment; `*` stands for any letters."""
    disallowed_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Words that make it spam."""
    most_links: Mapped[int] = mapped_column(default=2, server_default="2")
    """A comment with more is held."""
    reports_to_hold: Mapped[int] = mapped_column(default=3, server_default="3")
    filter_threshold: Mapped[float] = mapped_column(default=0.9, server_default="0.9")
    """How sure the local filter must be that a comment is spam, from 0.5 to 1, to hold it."""
    valve: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether friction rises by itself while comments come at an abnormal rate."""
    akismet_key: Mapped[str | None] = mapped_column(String(80))
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    """Grows with every change of it or its origins, so that no copy of an old page is given out any more."""

    origins: Mapped[list[Origin]] = relationship(
        back_populates="site", cascade="all, delete-orphan", order_by="Origin.id", lazy="selectin"
    )


@event.listens_for(Site, "before_update")
def _grow(_mapper: Mapper[Site], _connection: Connection, site: Site) -> None:
    site.version = Site.version + 1  # counted by the database, whoever else writes


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
    __table_args__ = (
        UniqueConstraint("site_id", "key"),
        Index("ix_thread_match", "site_id", "match_key"),
        Index(
            "ix_thread_title_due", "title_checked_at", sqlite_where=_TITLE_DUE, postgresql_where=_TITLE_DUE
        ),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(2000))
    match_key: Mapped[str | None] = mapped_column(String(2000), default=_match_key)
    """The key in the form in which addresses are compared; None where the release before wrote the row."""
    url: Mapped[str] = mapped_column(String(2000))
    title: Mapped[str | None] = mapped_column(String(300))
    title_source: Mapped[TitleSource | None] = mapped_column(choice(TitleSource))
    """None while there is no title."""
    title_checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the article's page was last asked for its title."""
    title_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often the page is still to be asked, once a day; a comment that appears sets it, an answer ends it."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    version: Mapped[int] = mapped_column(default=0)
    approved_count: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """From then on it takes no comments: closed by hand, or to be closed on a date."""
    slow_seconds: Mapped[int | None]
    """Slow mode: how long one person waits between two comments."""

    site: Mapped[Site] = relationship()


class ThreadAlias(Base):
    """A key under which an article was once known; readers who come by it find the thread it belongs to now."""

    __tablename__ = "thread_alias"
    __table_args__ = (
        UniqueConstraint("site_id", "key"),
        Index("ix_thread_alias_match", "site_id", "match_key"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(2000))
    match_key: Mapped[str | None] = mapped_column(String(2000), default=_match_key)
    """The key in the form in which addresses are compared; None where the release before wrote the row."""
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
