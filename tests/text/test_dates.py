"""Dates in the language that is spoken; tests/web/test_templating.py has the English ones."""

from __future__ import annotations

import gettext as files
from datetime import UTC, datetime

import pytest

from commentsvc import messages
from commentsvc.text import dates
from commentsvc.web import templating

AT = datetime(2026, 11, 3, 3, 4, tzinfo=UTC)


class Japanese(files.NullTranslations):
    def gettext(self, message: str) -> str:
        return {"%(date)s, %(time)s UTC": "%(date)s %(time)s (UTC)"}[message]

    def pgettext(self, context: str, message: str) -> str:
        words = {
            "%(day)s %(month)s %(year)s": "%(year)s年%(month)s%(day)s日",
            "%(day)s %(month)s": "%(month)s%(day)s日",
        }
        return words.get(message) or ("11月" if message.startswith("Nov") else message)


@pytest.fixture(autouse=True)
def _japanese(monkeypatch: pytest.MonkeyPatch) -> None:
    real = messages._catalogue
    monkeypatch.setattr(messages, "_catalogue", lambda code: Japanese() if code == "ja" else real(code))
    for remembered in (dates._date, dates._months, dates._short_months):
        monkeypatch.setattr(dates, remembered.__name__, remembered.__wrapped__)


def test_a_date_has_the_order_and_the_months_of_its_language() -> None:
    with messages.using("ja"):
        assert (dates.date(AT), dates.day(AT.date())) == ("2026年11月3日", "11月3日")
        assert (dates.exact(AT), dates.short_day(AT.date())) == ("2026年11月3日 03:04 (UTC)", "11月3日")
        assert 'title="2026年11月3日 03:04 (UTC)">2026年11月3日</time>' in templating.time(AT)
    assert (dates.date(AT), dates.day(AT.date())) == ("3 November 2026", "3 November")
    assert (dates.exact(AT), dates.short_day(AT.date())) == ("3 November 2026, 03:04 UTC", "3 Nov")


def test_a_date_that_is_remembered_is_of_one_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    dates._date.cache_clear()
    with messages.using("ja"):
        dates.date(AT)
    dates.date(AT)
    assert dates._date.cache_info().misses == 2
