"""The records that every reader of another system's file yields: articles and their comments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commentsvc.models import Kind, Status, TextFormat


@dataclass(frozen=True, slots=True)
class ImportedComment:
    """A comment as it was written elsewhere. Nothing of it is checked yet."""

    id: str
    """What its system calls it; unique in the source of its article."""
    text: str
    format: TextFormat
    status: Status
    parent_id: str | None = None
    """None for one that answers no other."""
    kind: Kind = Kind.COMMENT
    name: str = ""
    email: str = ""
    website: str = ""
    created_at: datetime | None = None
    """None where the file has no time that can be read."""
    refused: str = ""
    """Why the reader advises against importing it, in a few words."""


@dataclass(frozen=True, slots=True)
class ImportedThread:
    """An article and its comments, in any order."""

    system: str
    """The name of the system, as in "WordPress"."""
    source: str
    """Which of that system's installations; with system and comment id it names a comment for ever."""
    url: str
    """Its address, or a path that begins with a slash."""
    comments: tuple[ImportedComment, ...]
    title: str = ""
    """Plain text."""
    published_at: datetime | None = None
    home: str = ""
    """The address of the blog it belongs to, where the file tells."""
    hidden: bool = False
    """Its readers were not the public: it was private, a draft or behind a password."""
