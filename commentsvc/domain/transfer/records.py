"""The records that the readers of all import formats yield: articles and their comments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commentsvc.models import Kind, Role, Status, TextFormat


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
    user: str = ""
    """The login of the website's own author who wrote it, if the other system vouches for that; else empty."""
    notes: tuple[str, ...] = ()
    """What the report should say about it if it is imported, as a phrase that follows "comments"."""
    refused: str = ""
    """Why the comment should not be imported, in a few words; empty if it should."""
    role: Role | None = None
    """The author's role on the old site, if the other system says it, not only the author's name."""
    commenter_id: int | None = None
    """The account here that `user` has, as the operator says; None for a guest."""
    edited_at: datetime | None = None
    """When its author last changed it; None if never."""
    pinned: bool = False
    ups: int = 0
    """How many liked it or voted for it there."""
    downs: int = 0
    deleted: bool = False
    """Whether it was deleted there; the reader gives it only as a placeholder with nothing of its author in it."""


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
    id: str = ""
    """The other system's id of the article, unique within `source`; empty if it has none."""
    title: str = ""
    """Plain text."""
    published_at: datetime | None = None
    home: str = ""
    """The URL of its blog, if the file has it."""
    hidden: bool = False
    """Whether it was not public: private, a draft or behind a password."""
    hidden_why: str = "their article was private, a draft or behind a password"
    """Why its comments are held if it was not public."""
    closed: bool = False
    """Whether it was closed to new comments by hand."""
    draws_smilies: bool = False
    """Whether the system showed smilies such as ":oops:" as pictures."""
    page_id: str = ""
    """The id that the page gives its thread; it identifies the thread in place of the URL. Empty for most."""
    hides_replies: bool = False
    """Whether replies to a comment that was not shown there were not shown either."""
