"""A post on a social network or website that answers an article, and how it becomes a comment's text and author."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from html import escape

from commentsvc.domain import fields
from commentsvc.domain.authors import Author
from commentsvc.domain.bans import ban_values
from commentsvc.domain.comments import comment_text
from commentsvc.domain.comments.comment_text import CommentText
from commentsvc.errors import InvalidFieldsError
from commentsvc.models import SocialOrigin, TextFormat
from commentsvc.text import markup

KEY_LONGEST = 1000
URL_LONGEST = 2000
TEXT_LONGEST = 5000
"""Characters of a post's text; a longer one is cut, because the original is one click away."""
_MARKUP_LONGEST = 4 * TEXT_LONGEST
"""Characters of HTML; from a longer one only the text is used."""
_READ_LONGEST = 64 * 1024
"""Characters of HTML that are looked at, whatever follows."""


@dataclass(frozen=True)
class SocialPost:
    """A post as its network tells it. Nothing in it is trusted."""

    origin: SocialOrigin
    key: str
    """What identifies it, wherever it is seen: the URI of ActivityPub, an at-URI, or the page's own address."""
    url: str
    """Its page, for a link."""
    parent_key: str | None
    """The key of the post that it answers; None if it answers the article."""
    author_name: str
    author_handle: str
    """`name@host`, a handle, or a host."""
    author_url: str
    picture_url: str | None
    html: str | None
    """Untrusted HTML; used if there is no `text`."""
    text: str | None
    """Plain text instead of HTML."""
    published_at: datetime
    edited_at: datetime | None = None
    content_warning: str = ""
    language: str = ""
    noindex: bool = False
    """Its author does not want it shown to everybody: it is not stored."""
    author_id: str = ""
    """What identifies the author if the handle may change, such as a DID."""

    @property
    def author_key(self) -> str:
        """What identifies the author on their network."""
        return (self.author_id or self.author_handle).strip().lower()[:300]

    @property
    def is_usable(self) -> bool:
        """Whether its key and address can be stored."""
        return (
            0 < len(self.key.encode("utf-8", "replace")) <= KEY_LONGEST
            and len(self.url) <= URL_LONGEST
            and is_web_address(self.url)
        )


def is_web_address(url: str) -> bool:
    """Whether a link to it is safe: http or https, as `fields.website` accepts."""
    try:
        return url.startswith(("https://", "http://")) and bool(fields.website(url[: fields.WEBSITE_LONGEST]))
    except InvalidFieldsError:
        return False


def transfer_key(origin: SocialOrigin, key: str) -> str:
    """Return the `Comment.transfer_key` of a post; it says nothing about its author, and outlives erasure."""
    return f"{origin.value}:{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()}"


def author_hash(origin: SocialOrigin, author: str) -> str:
    """Return what stands for an author in `Comment.author_key_hash`, in bans too.

    A browser's key cannot have this hash, which is made without the service's key.
    """
    digest = hashlib.sha256(f"{origin.value} {author}".encode("utf-8", "replace")).hexdigest()
    return (ban_values.ELSEWHERE + digest)[:64]


def author_of(post: SocialPost) -> Author:
    """Return its author: a guest without e-mail address, whose website is their page there."""
    page = post.author_url if is_web_address(post.author_url) else ""
    guest = fields.imported_guest(name_=post.author_name or post.author_handle, email_="", website_=page)
    return Author(guest=guest, author_key_hash=author_hash(post.origin, post.author_key))


def text_of(post: SocialPost) -> CommentText | None:
    """Return its text, rendered and sanitised; None if nothing of it is visible."""
    source = escape(post.text, quote=False) if post.text is not None else post.html or ""
    draft = _rendered(source[:_READ_LONGEST])
    if draft is None:
        return None
    plain = markup.plain(draft.rendered.html)
    if len(plain) <= TEXT_LONGEST and len(source) <= _MARKUP_LONGEST:
        return draft
    return _rendered(escape(plain[:TEXT_LONGEST].rstrip() + " …", quote=False))


def warning_of(post: SocialPost) -> str | None:
    """Return its content warning on one line."""
    return fields.title(post.content_warning[:1000])


def picture_of(post: SocialPost) -> str | None:
    """Return the address of its author's picture, if the service may request it."""
    url = post.picture_url or ""
    return url if url.startswith("https://") and len(url) <= 1000 and url.isascii() else None


def _rendered(source: str) -> CommentText | None:
    try:
        checked = fields.text(source, longest=_READ_LONGEST)
        return comment_text.from_checked(checked, TextFormat.HTML)
    except InvalidFieldsError:
        return None


def plain(html: str) -> str:
    """Return the text of untrusted HTML on one line; empty if it has none."""
    draft = _rendered(html[:_READ_LONGEST])
    return markup.plain(draft.rendered.html) if draft else ""
