"""Checks this machine's clock against what tells a time: the service, login providers, the newest comment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.cli.checks.finding import Finding
from commentsvc.models import Comment

LEEWAY = timedelta(seconds=45)
"""Requests take a while; logins fail from a minute on."""
_SET = "Let it be set by itself (`timedatectl set-ntp true`): logins, links and forms depend on it."


def finding(session: Session, dates: Mapping[str, str], *, at: datetime) -> Finding:
    """Compare `at` with `Date` headers, by whose they are, and with the newest comment."""
    times = {whose: told for whose, header in dates.items() if (told := _read(header))}
    for whose, told in times.items():
        if abs(told - at) > LEEWAY:
            return Finding(
                "Clock", f"{_apart(at - told)} of {whose}", f"One of the two clocks is wrong. {_SET}"
            )
    newest = session.scalar(select(func.max(Comment.created_at)))
    if newest and newest - at > LEEWAY:
        state = f"{_apart(at - newest)} of the newest comment"
        return Finding("Clock", state, f"It is wrong now, or was wrong when that was written. {_SET}")
    compared = [*times, *(["the newest comment"] if newest else [])]
    if not compared:
        return Finding("Clock", "nothing to compare it with", is_known=False)
    return Finding("Clock", f"agrees with {', '.join(compared)}")


def _read(header: str) -> datetime | None:
    try:
        told = parsedate_to_datetime(header)
    except ValueError:
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _apart(difference: timedelta) -> str:
    seconds = round(abs(difference.total_seconds()))
    words = f"{seconds} seconds" if seconds < 120 else f"{seconds // 60} minutes"
    return f"is {words} {'ahead' if difference > timedelta() else 'behind'}"
