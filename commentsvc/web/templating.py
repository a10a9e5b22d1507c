"""Filters and functions for the templates."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask

from commentsvc.domain.spam import check_names
from commentsvc.text import initials, shown_lines
from commentsvc.text.markup import SafeHtml, trusted
from commentsvc.web import static_files
from commentsvc.web.auth import person_marks
from commentsvc.web.context import services_of

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
"""In English whatever the locale of the process, unlike `%B`."""


def init_app(app: Flask) -> None:
    environment, base_path = app.jinja_env, services_of(app).settings.base_path
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(
        date=date,
        exact=exact,
        time=time,
        check_label=check_names.label_of,
        hue=initials.hue,
        initial=initials.initial,
        is_long=shown_lines.is_long,
    )
    environment.globals.update(
        asset=lambda name: base_path + static_files.url(name),
        base_path=base_path,
        page_mark=person_marks.page_mark,
    )


def date(at: datetime) -> str:
    """Return a date such as 23 November 2026."""
    at = at.astimezone(UTC)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def exact(at: datetime) -> str:
    """Return a time such as 23 November 2026, 03:14 UTC."""
    at = at.astimezone(UTC)
    return f"{date(at)}, {at.hour:02}:{at.minute:02} UTC"


def time(at: datetime) -> SafeHtml:
    """Return a `<time>` element: the date, with the exact time in attributes. One call, for a page has a hundred."""
    at = at.astimezone(UTC)
    day, second = date(at), at.isoformat(timespec="seconds")
    return trusted(f'<time datetime="{second}" title="{day}, {second[11:16]} UTC">{day}</time>')
