"""How many comments a site usually gets in a busy hour."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import String, cast, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.models import Comment, Status, Usual

SINCE = timedelta(weeks=4)
PASSED_OVER = 4
"""The number of busiest hours that do not count, so that one flood or one day in the news does not become usual."""
GOOD_FOR = timedelta(days=1)
MOST = 50_000
"""Only this many of the latest comments are counted; beyond that, the exact number makes no difference."""


def usual_rate(session: Session, site_id: int, *, at: datetime) -> int:
    """Return the number of approved comments in a busy hour of the last weeks, calculated at most once a day.

    Only approved comments count, so that repeated floods do not become usual. Needs `begin_write`.
    """
    earlier = stored_baseline(session, site_id, at=at)
    if earlier is not None:
        return earlier
    measure = _measure(session, site_id, at)
    with suppress(IntegrityError), session.begin_nested():  # another process may have stored it just now
        session.merge(Usual(site_id=site_id, hourly=measure, reckoned_at=at))
    return measure


def stored_baseline(session: Session, site_id: int, *, at: datetime) -> int | None:
    """Return the stored number; None if it has to be calculated again."""
    row = session.get(Usual, site_id)
    return row.hourly if row is not None and abs(at - row.reckoned_at) < GOOD_FOR else None


def _measure(session: Session, site_id: int, at: datetime) -> int:
    hour = func.substr(cast(Comment.created_at, String), 1, len("2026-06-01 12"))
    latest = (
        select(hour.label("hour"))
        .where(
            Comment.site_id == site_id,
            Comment.status == Status.APPROVED,
            Comment.created_at > at - SINCE,
            Comment.created_at <= at,
        )
        .order_by(Comment.created_at.desc())
        .limit(MOST)
        .subquery()
    )
    many = func.count()
    by_hour = select(many).select_from(latest).group_by(latest.c.hour)
    return session.scalar(by_hour.order_by(many.desc()).offset(PASSED_OVER).limit(1)) or 0
