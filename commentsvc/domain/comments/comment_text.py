"""Validates and renders the text of a comment."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass

from commentsvc.domain import fields
from commentsvc.errors import InvalidFieldsError
from commentsvc.messages import gettext
from commentsvc.models import TextFormat
from commentsvc.text import characters, markup

DELETED = "*Deleted for good.*"
"""The text of a placeholder: a comment that was deleted for good while others' replies need its place."""


@dataclass(frozen=True)
class CommentText:
    """A text, checked and rendered: slow work, done before taking the database's write lock."""

    source: str
    format: TextFormat
    rendered: markup.Rendered
    digest: str


def from_source(source: str, *, longest: int, text_format: TextFormat = TextFormat.MARKDOWN) -> CommentText:
    """Check and render a text; raises InvalidFieldsError on `text`."""
    return from_checked(fields.text(source, longest=longest), text_format)


def from_checked(checked: str, text_format: TextFormat = TextFormat.MARKDOWN) -> CommentText:
    """Render a checked text; raises InvalidFieldsError on `text` if nothing of it is visible."""
    rendered = render(checked, text_format)
    if not characters.is_seen(markup.plain(rendered.html)):
        raise InvalidFieldsError({"text": gettext("Please enter a comment")})
    return CommentText(checked, text_format, rendered, digest_of(checked))


def render(source: str, text_format: TextFormat) -> markup.Rendered:
    """Render a stored source according to its format."""
    if text_format is TextFormat.HTML:
        return markup.render_html(source)
    return markup.render_markdown(source)


def digest_of(source: str) -> str:
    """Return 32 hexadecimal digits, the same for texts that differ only in spaces, case or letter forms."""
    sentence = " ".join(unicodedata.normalize("NFKC", source).casefold().split())
    return hashlib.sha256(sentence.encode()).hexdigest()[:32]
