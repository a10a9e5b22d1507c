"""Sites, their origins, and the threads of their articles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, String, Text, UniqueConstraint, event, false, text, true
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from commentsvc.db.session import Base, UTCDateTime
from commentsvc.match_keys import match_key
from commentsvc.models.columns import (
    EditWindow,
    FieldRule,
    Likes,
    Order,
    Policy,
    RowId,
    TitleSource,
    choice,
    now,
)

_TITLE_DUE = text("title_tries > 0")
_HAS_VOTES = text("votes_since IS NOT NULL")


def _match_key(context: Any) -> str:
    """Return the match key of a new row, for a site without its own ignored parameters."""
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
    likes: Mapped[Likes] = mapped_column(choice(Likes), default=Likes.OFF, server_default=Likes.OFF.value)
    """Whether readers may vote on comments."""
    email_field: Mapped[FieldRule] = mapped_column(choice(FieldRule), default=FieldRule.REQUIRED)
    name_field: Mapped[FieldRule] = mapped_column(choice(FieldRule), default=FieldRule.REQUIRED)
    website_field: Mapped[FieldRule] = mapped_column(choice(FieldRule), default=FieldRule.OPTIONAL)
    close_after_days: Mapped[int | None]
    guests: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether people may comment without logging in."""
    edit_window: Mapped[EditWindow] = mapped_column(
        choice(EditWindow), default=EditWindow.MINUTES_15, server_default=EditWindow.MINUTES_15.value
    )
    """How long people may edit their own comments."""
    sso_secret: Mapped[str | None] = mapped_column(String(64))
    """The secret with which the site signs its own users' tokens."""
    ignored_parameters: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Query parameters that do not distinguish articles, one per line, as `ignored_parameters.checked` returns them."""

    moderation_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Words that hold a comment, one per line; `*` stands for any letters."""
    disallowed_words: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Words that mark a comment as spam, in the same form."""
    most_links: Mapped[int] = mapped_column(default=2, server_default="2")
    """A comment with more links is held."""
    reports_to_hold: Mapped[int] = mapped_column(default=3, server_default="3")
    filter_threshold: Mapped[float] = mapped_column(default=0.9, server_default="0.9")
    """The local filter holds a comment whose probability of being spam, from 0.5 to 1, reaches this."""
    valve: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether protection rises automatically while comments come at an abnormal rate."""
    comment_mail: Mapped[bool] = mapped_column(default=True, server_default=false())
    """Whether readers may ask for mail about new comments. An earlier site has to be switched on by its owner."""
    post_mail: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether readers may ask for mail about new articles."""
    feed_url: Mapped[str | None] = mapped_column(String(2000))
    """The site's RSS, Atom or JSON Feed, in which new articles are looked for."""
    moderator_mail: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether moderators may get mail about held comments, with links by which they decide."""
    comment_feeds: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether there are feeds of its comments, and lists of the latest; they have what everybody can read anyway."""
    webmention: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether other websites may tell that they mention an article."""
    mastodon: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether answers to the articles' posts on Mastodon are shown here."""
    bluesky: Mapped[bool] = mapped_column(default=False, server_default=false())
    count_foreign: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether numbers of comments include answers from elsewhere."""
    akismet_key: Mapped[str | None] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(35), default="en", server_default="en")
    """Of its threads where the page around them names none of ours."""
    words: Mapped[str] = mapped_column(Text, default="", server_default="")
    """The owner's own sentences: JSON, {language: {our English: their text}}."""
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    """Grows with every change of the site or its origins, so that cached pages expire."""

    origins: Mapped[list[Origin]] = relationship(
        back_populates="site", cascade="all, delete-orphan", order_by="Origin.id", lazy="selectin"
    )
    previews: Mapped[list[PreviewOrigin]] = relationship(
        back_populates="site", cascade="all, delete-orphan", order_by="PreviewOrigin.id"
    )


@event.listens_for(Site, "before_update")
def _grow(_mapper: Mapper[Site], _connection: Connection, site: Site) -> None:
    site.version = Site.version + 1  # in SQL: no concurrent change is lost


class Origin(Base):
    """scheme://host[:port] of pages that may embed a site's threads; each belongs to one site only."""

    __tablename__ = "origin"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    origin: Mapped[str] = mapped_column(String(300), unique=True)

    site: Mapped[Site] = relationship(back_populates="origins")


class PreviewOrigin(Base):
    """Origins of previews, which may show a site's threads; each belongs to one site only."""

    __tablename__ = "preview_origin"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), index=True)
    pattern: Mapped[str] = mapped_column(String(300), unique=True)
    """scheme://*.host[:port], where the star stands for one part of the host: see domain/sites/previews.py."""
    takes_comments: Mapped[bool] = mapped_column(default=False)
    """Whether readers may comment there; otherwise they only read."""

    site: Mapped[Site] = relationship(back_populates="previews")


class Thread(Base):
    """The discussion of one article, identified by a site and a key."""

    __tablename__ = "thread"
    __table_args__ = (
        UniqueConstraint("site_id", "key"),
        Index("ix_thread_match", "site_id", "match_key"),
        Index(
            "ix_thread_title_due", "title_checked_at", sqlite_where=_TITLE_DUE, postgresql_where=_TITLE_DUE
        ),
        Index("ix_thread_votes", "votes_since", sqlite_where=_HAS_VOTES, postgresql_where=_HAS_VOTES),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(2000))
    match_key: Mapped[str | None] = mapped_column(String(2000), default=_match_key)
    """The key in the form in which URLs are compared; None if an older release wrote the row."""
    url: Mapped[str] = mapped_column(String(2000))
    title: Mapped[str | None] = mapped_column(String(300))
    search_text: Mapped[str | None] = mapped_column(Text, deferred=True)
    """The words by which it is found: see `models/searched.py`."""
    title_source: Mapped[TitleSource | None] = mapped_column(choice(TitleSource))
    """None while there is no title."""
    title_checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the service last fetched the article's page for its title."""
    title_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many daily attempts to fetch the title are left; a newly shown comment sets it, an answer sets it to 0."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
    version: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=now, onupdate=now)
    """When this row last changed, and with it perhaps what readers see; None if only older releases have changed it."""
    approved_count: Mapped[int] = mapped_column(default=0)
    votes_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """The time of the first vote that cached pages do not show yet; None if they show all."""
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When it closes, or closed, for new comments: by hand or on a set date."""
    slow_seconds: Mapped[int | None]
    """Slow mode: how long one person must wait between two comments."""
    imported: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it has imported comments, so that a link `#comment-5` means the other system's number."""

    site: Mapped[Site] = relationship()


class ThreadAlias(Base):
    """A former key of an article, which leads readers to the thread it belongs to now."""

    __tablename__ = "thread_alias"
    __table_args__ = (
        UniqueConstraint("site_id", "key"),
        Index("ix_thread_alias_match", "site_id", "match_key"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(2000))
    match_key: Mapped[str | None] = mapped_column(String(2000), default=_match_key)
    """The key in the form in which URLs are compared; None if an older release wrote the row."""
    thread_id: Mapped[int] = mapped_column(ForeignKey("thread.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now)
