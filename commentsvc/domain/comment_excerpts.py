"""What lists of comments read of each: its whole text, or only the beginning of a very large one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, func

from commentsvc.models import Comment

_LARGEST_HTML = 20_000
"""Characters."""
_EXCERPT = 2_000


def html_in_list() -> ColumnElement[Any]:
    """Select a comment's HTML; NULL if it is too large for a list, which then shows `excerpt`."""
    return case((func.length(Comment.html) <= _LARGEST_HTML, Comment.html), else_=None)


def excerpt() -> ColumnElement[str]:
    """Select the beginning of a comment's source."""
    return func.substr(Comment.source, 1, _EXCERPT)
