"""Whether a wrong clock is found, and a right one let be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy.orm import Session

from commentsvc.cli.checks import clock
from commentsvc.models import Site
from tests.support.comment_builders import article

NOW = datetime(2026, 6, 1, 13, tzinfo=UTC)


def header(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(-30, ""), (30, ""), (61, "is 61 seconds behind of Google"), (-7200, "is 120 minutes ahead of Google")],
)
def test_it_is_compared_with_what_others_say(session: Session, seconds: float, told: str) -> None:
    finding = clock.finding(session, {"the service": header(0), "Google": header(seconds)}, at=NOW)
    assert bool(finding.advice) is bool(told)
    assert finding.state == (told or "agrees with the service, Google")


def test_a_comment_from_the_future_is_found(session: Session, site: Site) -> None:
    pen = article(session, site)
    pen.at = NOW - timedelta(minutes=5)
    pen.write()
    assert not clock.finding(session, {}, at=NOW).advice
    pen.at = NOW + timedelta(minutes=5)
    pen.write()
    finding = clock.finding(session, {"the service": header(0)}, at=NOW)
    assert finding.state == "is 6 minutes behind of the newest comment"
    assert "timedatectl" in finding.advice


@pytest.mark.parametrize("dates", [{}, {"Google": "yesterday"}])
def test_with_nothing_to_compare_it_is_not_called_right(session: Session, dates: dict[str, str]) -> None:
    finding = clock.finding(session, dates, at=NOW)
    assert (finding.is_known, finding.advice) == (False, "")
