"""What templates may call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flask import Flask
from jinja2 import Environment
from jinja2.runtime import Macro

from commentsvc.text import initials, shown_lines
from commentsvc.text.markup import SafeHtml, trusted
from commentsvc.web import static_files
from commentsvc.web.auth import person_marks

INDENTS = 4
_INDENTS = tuple(map(str, range(INDENTS + 1)))
_REMEMBERED = 2048
"""Writers and days, which come again and again on a page."""
_TWO = tuple(f"{number:02}" for number in range(60))
_MINUTES = tuple(tuple(f"{hour}:{minute}" for minute in _TWO) for hour in _TWO[:24])


def init_app(app: Flask) -> None:
    environment = app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(
        date=date,
        exact=exact,
        when=when,
        hue=initials.hue,
        initial=initials.initial,
        indent_of=indent_of,
        is_long=shown_lines.is_long,
        author=cached_by(environment, "author"),
        answering=cached_by(environment, "answering"),
        blank_details=cached_by(environment, "blank_details"),
    )
    environment.globals.update(
        asset=static_files.url, page_mark=person_marks.page_mark, page_token=person_marks.csrf_token
    )


def cached_by(environment: Environment, name: str) -> Callable[..., str]:
    """Return a filter: what a macro of `thread/remembered.html` makes of a value, kept for when it comes again."""

    @lru_cache(_REMEMBERED, typed=True)  # what is safe already equals the same text that is not
    def piece(*given: Any) -> str:
        macro: Macro = getattr(environment.get_template("thread/remembered.html").module, name)
        return macro(*given)

    return piece


def date(at: datetime) -> str:
    """23 November 2026."""
    return _day(_utc(at).toordinal())[1]


def exact(at: datetime) -> str:
    """23 November 2026, 03:14 UTC."""
    at = _utc(at)
    return f"{_day(at.toordinal())[1]}, {_TWO[at.hour]}:{_TWO[at.minute]} UTC"


def when(at: datetime) -> SafeHtml:
    """A time as an element: for programs, exactly, and in short. All in one, for a page has a hundred of them."""
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    exactly, title, day = _when(at.toordinal())
    minute = _MINUTES[at.hour][at.minute]
    return trusted(f"{exactly}{minute}:{_TWO[at.second]}{title}{minute}{day}")


def indent_of(depth: int) -> str:
    """How far a reply is set in, as a digit; deeper ones stay there."""
    return _INDENTS[depth] if depth < INDENTS else _INDENTS[INDENTS]


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo is UTC else at.astimezone(UTC)


@lru_cache(_REMEMBERED)
def _day(ordinal: int) -> tuple[str, str]:
    """2026-11-23, and 23 November 2026."""
    day = datetime.fromordinal(ordinal)
    return day.date().isoformat(), f"{day:%-d %B} {day.year}"


@lru_cache(_REMEMBERED)
def _when(ordinal: int) -> tuple[str, str, str]:
    """What stands around a day's times."""
    day, said = _day(ordinal)
    return f'<time datetime="{day}T', f'Z" title="{said}, ', f' UTC">{said}</time>'
