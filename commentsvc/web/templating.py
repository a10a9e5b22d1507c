"""What templates may call."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask

from commentsvc.adapters import initials
from commentsvc.web import assets

INDENTS = 4


def init_app(app: Flask) -> None:
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        date=date, exact=exact, initial=initials.initial, hue=initials.hue, indent_of=indent_of
    )
    app.jinja_env.globals.update(asset=assets.url)


def date(at: datetime) -> str:
    """23 November 2026."""
    return f"{at.astimezone(UTC):%-d %B %Y}"


def exact(at: datetime) -> str:
    """23 November 2026, 03:14 UTC."""
    return f"{at.astimezone(UTC):%-d %B %Y, %H:%M} UTC"


def indent_of(depth: int) -> int:
    """How far a reply is set in; deeper ones stay there."""
    return min(depth, INDENTS)
