"""What the tables share: row ids, the clock and choices stored as words."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Enum, Integer

# SQLite numbers rows by itself only in an INTEGER column.
RowId = BigInteger().with_variant(Integer, "sqlite")


def now() -> datetime:
    """Return the present time, in UTC."""
    return datetime.now(UTC)


def choice(kind: type[StrEnum]) -> Enum:
    """A choice stored as its word, so that a new one needs no migration."""
    return Enum(
        kind, native_enum=False, length=20, values_callable=lambda kind: [item.value for item in kind]
    )


class Policy(StrEnum):
    """Who may comment on a site without waiting."""

    OPEN = "open"
    HOLD_FIRST = "hold_first"
    HOLD_ALL = "hold_all"
    CLOSED = "closed"


class FieldRule(StrEnum):
    """Whether the guest form asks for a detail."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    OFF = "off"


class Order(StrEnum):
    OLDEST = "oldest"
    NEWEST = "newest"


class Status(StrEnum):
    APPROVED = "approved"
    HELD = "held"
    SPAM = "spam"
    TRASH = "trash"


class Kind(StrEnum):
    COMMENT = "comment"
    PINGBACK = "pingback"
    TRACKBACK = "trackback"


class TextFormat(StrEnum):
    MARKDOWN = "markdown"
    HTML = "html"  # imported only


class TitleSource(StrEnum):
    """Who said what an article is called."""

    BROWSER = "browser"
    """The page around the frame of whoever wrote first: a claim."""
    IMPORT = "import"
    """The system that the comments came from."""
    ARTICLE = "article"
    """The article's own page, read by the service."""
    MODERATOR = "moderator"


class Role(StrEnum):
    OWNER = "owner"
    MODERATOR = "moderator"
