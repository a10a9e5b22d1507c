"""Filters and functions for the templates."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from flask import Flask

from commentsvc.domain.spam import check_names
from commentsvc.text import dates, initials, numbers, shown_lines
from commentsvc.text.markup import SafeHtml, trusted
from commentsvc.web import inline_files, static_files
from commentsvc.web.auth import person_marks
from commentsvc.web.context import services_of


def init_app(app: Flask) -> None:
    environment, base_path = app.jinja_env, services_of(app).settings.base_path
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(
        date=dates.date,
        day=dates.day,
        exact=dates.exact,
        number=numbers.number,
        short_day=dates.short_day,
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
        longest_comment=services_of(app).settings.max_comment_length,
        service_host=services_of(app).settings.host,
        page_mark=person_marks.page_mark,
    )


def time(at: datetime) -> SafeHtml:
    """Return a `<time>` element: the date, with the exact time in attributes. One call, for a page has a hundred."""
    at = at.astimezone(UTC)
    day, second = dates.date(at), at.isoformat()[:19]  # with `timespec` it takes twice as long
    title = dates.dated(day, second[11:16])
    return trusted(f'<time datetime="{second}+00:00" title="{title}">{day}</time>')


@lru_cache(maxsize=1024)  # a page has a hundred, many of the same people
def avatar(name: str) -> SafeHtml:
    """Return a person's initial on their colour, for those without a picture."""
    span = trusted('<span class="avatar hue-{}" aria-hidden="true">{}</span>')
    return span.format(initials.hue(name), initials.initial(name))
