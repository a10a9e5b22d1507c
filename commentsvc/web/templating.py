"""Filters and functions for the templates."""

from __future__ import annotations

import datetime as dates
from datetime import UTC, datetime
from functools import lru_cache

from flask import Flask

from commentsvc.domain.spam import check_names
from commentsvc.text import initials, shown_lines
from commentsvc.text.markup import SafeHtml, trusted
from commentsvc.web import inline_files, static_files
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
        avatar=avatar,
        initial=initials.initial,
        is_long=shown_lines.is_long,
    )
    environment.globals.update(
        asset=lambda name: base_path + static_files.url(name),
        base_path=base_path,
        inline=inline_files.inline,
        service_host=services_of(app).settings.host,
        page_mark=person_marks.page_mark,
    )


def date(at: datetime) -> str:
    """Return a date such as 23 November 2026."""
    return _in_words(at.astimezone(UTC).date())


@lru_cache(maxsize=1024)
def _in_words(day: dates.date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def exact(at: datetime) -> str:
    """Return a time such as 23 November 2026, 03:14 UTC."""
    at = at.astimezone(UTC)
    return f"{date(at)}, {at.hour:02}:{at.minute:02} UTC"


def time(at: datetime) -> SafeHtml:
    """Return a `<time>` element: the date, with the exact time in attributes. One call, for a page has a hundred."""
    at = at.astimezone(UTC)
    day, second = date(at), at.isoformat()[:19]  # with `timespec` it takes twice as long
    return trusted(f'<time datetime="{second}+00:00" title="{day}, {second[11:16]} UTC">{day}</time>')


@lru_cache(maxsize=1024)  # a page has a hundred, many of the same people
def avatar(name: str) -> SafeHtml:
    """Return a person's initial on their colour, for those without a picture."""
    span = trusted('<span class="avatar hue-{}" aria-hidden="true">{}</span>')
    return span.format(initials.hue(name), initials.initial(name))
