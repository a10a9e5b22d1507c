"""The records that the readers of all import formats yield: articles and their comments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commentsvc.models import Kind, Status, TextFormat


@dataclass(frozen=True, slots=True)
class ImportedComment:
    """A comment as it was written elsewhere, not validated yet."""

    id: str
    """The other system's id; unique within `source` of its article."""
    text: str
    format: TextFormat
    status: Status
    parent_id: str | None = None
    """None for a comment that is not a reply."""
    kind: Kind = Kind.COMMENT
    name: str = ""
    email: str = ""
    website: str = ""
    created_at: datetime | None = None
    """None if the file has no valid time."""
    refused: str = ""
    """Why the comment should not be imported, in a few words; empty if it should."""


@dataclass(frozen=True, slots=True)
class ImportedThread:
    """An article and its comments, in any order."""

    system: str
    """The name of the system, such as "WordPress"."""
    source: str
    """The installation of that system; together with the system and a comment's id it identifies the comment."""
    url: str
    """Its URL, or a path that begins with a slash."""
    comments: tuple[ImportedComment, ...]
    title: str = ""
    """Plain text."""
    published_at: datetime | None = None
    home: str = ""
    """The URL of its blog, if the file has it."""
    hidden: bool = False
    """Whether it was not public: private, a draft or behind a password."""
