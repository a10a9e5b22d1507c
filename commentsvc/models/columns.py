"""What the tables share: row ids, the clock, choices stored as words, and indexes over some rows alone."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Enum, Index, Integer, MetaData, text

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


def partial_index(
    name: str, *columns: str, where: str, sqlite: str | None = None, unique: bool = False
) -> Index:
    """An index over the rows that a condition holds for; `sqlite` is the same condition in SQLite's words.

    An engine takes it only for a query in which it finds these very words. Only migrations tell them to SQLAlchemy
    (`tell_conditions`): it loads the dialect of each engine that is named, an eighth of all loading.
    """
    return Index(name, *columns, unique=unique, info={"sqlite": sqlite or where, "postgresql": where})


def tell_conditions(metadata: MetaData) -> None:
    """Tell SQLAlchemy the conditions of partial indexes, before migrations are run or written."""
    for table in metadata.tables.values():
        for index in table.indexes:
            for engine, where in index.info.items():
                index.dialect_kwargs[f"{engine}_where"] = text(where)


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
