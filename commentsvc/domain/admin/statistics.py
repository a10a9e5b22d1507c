"""A site's statistics: comments of the last days, moderators' response times, busy articles, and what caught spam.

Each query reads a limited number of rows along an index, so that a flood of comments does not slow the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Select, case, func, select, union_all
from sqlalchemy.orm import Session, aliased

from commentsvc.domain.reading.conversations import NAMES
from commentsvc.domain.spam.check_names import label_of
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Comment, Decision, Status, Thread

DAYS = 30
"""Including today; days are in UTC."""
LATEST = 2_000
"""Comments per status that are analysed, the latest first."""
ARTICLES = 8

WAITS = (
    (gettext_noop("Up to 10 minutes"), timedelta(minutes=10)),
    (gettext_noop("10 to 60 minutes"), timedelta(hours=1)),
    (gettext_noop("1 to 6 hours"), timedelta(hours=6)),
    (gettext_noop("6 to 24 hours"), timedelta(days=1)),
    (gettext_noop("1 to 3 days"), timedelta(days=3)),
    (gettext_noop("Over 3 days"), timedelta.max),
)
NO_RULE = gettext_noop("Moderators only")


@dataclass(frozen=True, slots=True)
class Day:
    """A day's number of comments by their current status."""

    date: date
    counts: dict[Status, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Share:
    """One bar of a chart; with the thread's id if it stands for a thread."""

    label: str
    count: int
    thread_id: int | None = None


@dataclass(frozen=True, slots=True)
class SiteStatistics:
    """All figures of the page."""

    days: list[Day]
    totals: dict[Status, int]
    waits: list[Share]
    """Held comments by how long they waited for a moderator's decision."""
    usual_wait: timedelta | None
    """Median wait; None if there are no decisions yet."""
    articles: list[Share]
    rules: list[Share]
    """Spam by the check that stopped it. Several checks can stop the same comment."""
    ways: list[Share]
    """Comments by where they were written; empty if all were written here."""

    @property
    def total(self) -> int:
        return sum(self.totals.values())


def site_statistics(session: Session, site_id: int, *, at: datetime) -> SiteStatistics:
    """Return a site's statistics for the `DAYS` up to `at`."""
    days = _days(session, site_id, at)
    since = _midnight(days[0].date)
    waits = _waits(session, site_id, since)
    return SiteStatistics(
        days=days,
        totals={status: sum(day.counts[status] for day in days) for status in Status},
        waits=_by_length(waits),
        usual_wait=_middle(waits),
        articles=_articles(session, site_id, since),
        rules=_rules(session, site_id, since),
        ways=_ways(session, site_id, since),
    )


def _days(session: Session, site_id: int, at: datetime) -> list[Day]:
    """Count in one pass over the index; comparing times avoids the engines' different date functions."""
    today = at.astimezone(UTC).date()
    dates = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    ends = [(Comment.created_at < _midnight(day + timedelta(days=1)), n) for n, day in enumerate(dates)]
    number = case(*ends).label("number")
    rows = session.execute(
        select(Comment.status, number, func.count())
        .where(
            Comment.site_id == site_id,
            Comment.status.in_(Status),
            Comment.created_at >= _midnight(dates[0]),
            Comment.created_at < _midnight(today + timedelta(days=1)),
        )
        .group_by(Comment.status, number)
    )
    counted = {(status, n): count for status, n, count in rows}
    return [
        Day(day, {status: counted.get((status, n), 0) for status in Status}) for n, day in enumerate(dates)
    ]


def _latest(site_id: int, since: datetime, statuses: Sequence[Status]) -> Select[Any]:
    """Select the ids of the latest comments of each status."""
    parts = [
        select(Comment.id)
        .where(Comment.site_id == site_id, Comment.status == status, Comment.created_at >= since)
        .order_by(Comment.created_at.desc(), Comment.id.desc())
        .limit(LATEST)
        .subquery()
        for status in statuses
    ]
    return select(union_all(*(select(part.c.id) for part in parts)).subquery().c.id)


def _waits(session: Session, site_id: int, since: datetime) -> list[timedelta]:
    """Return how long held comments waited for a moderator's first decision."""
    first, answer = aliased(Decision), aliased(Decision)
    rows = session.execute(
        select(Comment.created_at, func.min(answer.created_at))
        .join(first, first.comment_id == Comment.id)
        .join(answer, answer.comment_id == Comment.id)
        .where(
            Comment.id.in_(_latest(site_id, since, tuple(Status))),
            first.before.is_(None),
            first.status == Status.HELD,
            answer.moderator_id.is_not(None),
        )
        .group_by(Comment.id, Comment.created_at)
    )
    return [max(timedelta(), answered - came) for came, answered in rows]


def _middle(waits: Sequence[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(wait.total_seconds() for wait in waits)) if waits else None


def _by_length(waits: Sequence[timedelta]) -> list[Share]:
    counter = Counter(next(label for label, limit in WAITS if wait < limit) for wait in waits)
    return [Share(gettext(label), counter[label]) for label, _ in WAITS]


def _articles(session: Session, site_id: int, since: datetime) -> list[Share]:
    count = func.count().label("count")
    rows = session.execute(
        select(Thread.title, Thread.url, count, Thread.id)
        .join(Comment, Comment.thread_id == Thread.id)
        .where(Comment.id.in_(_latest(site_id, since, (Status.APPROVED, Status.HELD))))
        .group_by(Thread.id, Thread.title, Thread.url)
        .order_by(count.desc(), Thread.id.desc())
        .limit(ARTICLES)
    )
    return [Share(title or url, number, thread_id) for title, url, number, thread_id in rows]


def _ways(session: Session, site_id: int, since: datetime) -> list[Share]:
    rows = session.execute(
        select(Comment.origin, func.count())
        .where(Comment.id.in_(_latest(site_id, since, (Status.APPROVED, Status.HELD))))
        .group_by(Comment.origin)
    ).all()
    number = {row[0]: row[1] for row in rows}
    if not any(number):
        return []
    return [
        Share(NAMES[origin] if origin else gettext("Here"), number.get(origin, 0))
        for origin in (None, *NAMES)
    ]


def _rules(session: Session, site_id: int, since: datetime) -> list[Share]:
    """Count spam by the checks that stopped it; without any, moderators found it."""
    spam = _latest(site_id, since, (Status.SPAM,))
    rows = session.execute(
        select(Decision.comment_id, Decision.reasons).where(
            Decision.comment_id.in_(spam), Decision.moderator_id.is_(None)
        )
    )
    stopped: dict[int, set[str]] = {number: set() for number in session.scalars(spam)}
    for comment_id, reasons in rows:
        failed = {str(one["check"]) for one in reasons if one.get("status") in (Status.HELD, Status.SPAM)}
        stopped.setdefault(comment_id, set()).update(failed)
    counted = Counter(check for checks in stopped.values() for check in checks or {""})
    shares = [Share(label_of(check) if check else gettext(NO_RULE), n) for check, n in counted.items()]
    return sorted(shares, key=lambda share: (-share.count, share.label))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
