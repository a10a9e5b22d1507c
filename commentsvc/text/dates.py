"""Dates in words, in UTC, in the current language: digits are Latin and the calendar Gregorian in each."""

from __future__ import annotations

import datetime as standard
from datetime import UTC, datetime
from functools import cache, lru_cache

from commentsvc import messages
from commentsvc.messages import gettext, pgettext


def date(at: datetime) -> str:
    """Return a date such as 23 November 2026."""
    return _date(at.astimezone(UTC).date(), messages.language().code)


def exact(at: datetime) -> str:
    """Return a time such as 23 November 2026, 03:14 UTC."""
    at = at.astimezone(UTC)
    return dated(date(at), f"{at.hour:02}:{at.minute:02}")


def dated(date_text: str, time_text: str) -> str:
    """Return a date with the time of day, such as 03:14, in UTC."""
    return gettext("%(date)s, %(time)s UTC") % {"date": date_text, "time": time_text}


def day(on: standard.date) -> str:
    """Return a day whose year is clear, such as 3 November."""
    # translators: a day without its year.
    pattern = pgettext("date", "%(day)s %(month)s")
    return pattern % {"day": on.day, "month": _months(messages.language().code)[on.month - 1]}


def short_day(on: standard.date) -> str:
    """Return a day for a narrow place, such as 3 Nov."""
    # translators: a day without its year, with a short month: below a chart, in a table.
    pattern = pgettext("short date", "%(day)s %(month)s")
    return pattern % {"day": on.day, "month": _short_months(messages.language().code)[on.month - 1]}


@lru_cache(maxsize=1024)  # a page has a hundred
def _date(on: standard.date, language: str) -> str:
    # translators: for example 23 November 2026. Where a month is a number, as in Japanese, see also the months.
    pattern = pgettext("date", "%(day)s %(month)s %(year)s")
    return pattern % {"day": on.day, "month": _months(language)[on.month - 1], "year": on.year}


# Months are not taken from the locale of the process: a server has few of them, and one for all requests.
@cache
def _months(language: str) -> tuple[str, ...]:
    """Return the months as they stand in a date; `language` is the current one."""
    return (
        # translators: all months in the form that stands in a date with its day, such as the genitive in Russian.
        pgettext("month in a date", "January"),
        pgettext("month in a date", "February"),
        pgettext("month in a date", "March"),
        pgettext("month in a date", "April"),
        pgettext("month in a date", "May"),
        pgettext("month in a date", "June"),
        pgettext("month in a date", "July"),
        pgettext("month in a date", "August"),
        pgettext("month in a date", "September"),
        pgettext("month in a date", "October"),
        pgettext("month in a date", "November"),
        pgettext("month in a date", "December"),
    )


@cache
def _short_months(language: str) -> tuple[str, ...]:
    """Return the months as they stand in a date for a narrow place; `language` is the current one."""
    return (
        pgettext("short month in a date", "Jan"),
        pgettext("short month in a date", "Feb"),
        pgettext("short month in a date", "Mar"),
        pgettext("short month in a date", "Apr"),
        pgettext("short month in a date", "May"),
        pgettext("short month in a date", "Jun"),
        pgettext("short month in a date", "Jul"),
        pgettext("short month in a date", "Aug"),
        pgettext("short month in a date", "Sep"),
        pgettext("short month in a date", "Oct"),
        pgettext("short month in a date", "Nov"),
        pgettext("short month in a date", "Dec"),
    )
