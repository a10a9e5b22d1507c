"""Shared by the tables: row ids, the clock, and choices stored as words."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Enum, Integer

# SQLite generates row ids only in an INTEGER column.
RowId = BigInteger().with_variant(Integer, "sqlite")


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def choice(kind: type[StrEnum]) -> Enum:
    """Return a column type that stores a choice as its word, so that a new choice needs no migration."""
    return Enum(
        kind, native_enum=False, length=20, values_callable=lambda kind: [item.value for item in kind]
    )


class Policy(StrEnum):
    """Whose comments a site publishes without moderation."""

    OPEN = "open"
    HOLD_FIRST = "hold_first"
    HOLD_ALL = "hold_all"
    CLOSED = "closed"


class EditWindow(StrEnum):
    """How long after posting a comment its author may change the text."""

    OFF = "off"
    MINUTES_5 = "5_minutes"
    MINUTES_15 = "15_minutes"
    HOUR = "1_hour"
    DAY = "1_day"
    ALWAYS = "always"


class FieldRule(StrEnum):
    """Whether the guest form asks for a detail."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    OFF = "off"


class Order(StrEnum):
    OLDEST = "oldest"
    NEWEST = "newest"
    BEST = "best"
    """By `Comment.score`; only where readers may vote."""


class Likes(StrEnum):
    """How readers of a site may vote on comments."""

    OFF = "off"
    LIKES = "likes"
    """Only up."""
    VOTES = "votes"
    """Up and down."""


class Status(StrEnum):
    APPROVED = "approved"
    HELD = "held"
    SPAM = "spam"
    TRASH = "trash"


class Kind(StrEnum):
    COMMENT = "comment"
    PINGBACK = "pingback"
    TRACKBACK = "trackback"


class SocialOrigin(StrEnum):
    """Where a comment was written that came from elsewhere on the web."""

    WEBMENTION = "webmention"
    MASTODON = "mastodon"
    BLUESKY = "bluesky"


class FoundBy(StrEnum):
    """Who said which post of a network belongs to an article."""

    ARTICLE = "article"
    """The article's own page, read by the service."""
    ADMIN = "admin"


class MentionState(StrEnum):
    """What is known of a webmention."""

    WAITING = "waiting"
    """Received, and not verified yet."""
    VERIFIED = "verified"
    REFUSED = "refused"
    """Its source does not link to the article, or could not be read."""
    GONE = "gone"
    """It was verified once; its source has no link any more."""


class MentionKind(StrEnum):
    """What a webmention's source does with the article."""

    REPLY = "reply"
    MENTION = "mention"
    LIKE = "like"
    REPOST = "repost"
    BOOKMARK = "bookmark"


class TextFormat(StrEnum):
    MARKDOWN = "markdown"
    HTML = "html"  # imported only


class TitleSource(StrEnum):
    """Where the title of an article came from."""

    BROWSER = "browser"
    """The page around the frame, as the first commenter's browser reported it: a claim."""
    IMPORT = "import"
    """The system that the comments were imported from."""
    ARTICLE = "article"
    """The article's page, fetched by the service."""
    MODERATOR = "moderator"


class Role(StrEnum):
    OWNER = "owner"
    MODERATOR = "moderator"
