"""Detects surges: when comments come at an abnormal rate, protection rises in steps, and falls by itself.

docs/pressure.md explains the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, case, exists, func, or_, select
from sqlalchemy.orm import Session

from commentsvc.domain import stored_reasons
from commentsvc.domain.surge import baseline, episodes
from commentsvc.domain.surge.episodes import SurgeReading, SurgeStep
from commentsvc.models import Comment, Pressure, Site, Status, Thread

WINDOW = timedelta(minutes=5)
BURST = timedelta(minutes=1)
BURST_WEIGHT = 2
"""Within one minute, half as many comments are abnormal."""
FLOOR = 20
"""Fewer comments than this in the window are never abnormal for a thread, even on a quiet site."""
SITE_FACTOR = 1.5
"""The limit of a site, as a multiple of the limit of one of its threads."""
USUAL_PARTS = 4
"""The window is a twelfth of an hour, and three times its share of a usual busy hour is abnormal: a quarter."""
OLD = timedelta(days=1)
"""An author approved this long before the surge is not part of it."""
COUNTED = 5_000
"""The most comments counted in one window."""


@dataclass(frozen=True)
class SurgeLevel:
    """The protection that applies to a new comment."""

    step: SurgeStep = SurgeStep.NONE
    site_wide: bool = False
    since: datetime | None = None
    """When the first surge that applies began."""


@dataclass(frozen=True)
class _Arrivals:
    """The number of recent comments by readers, including the current one."""

    window: int
    burst: int

    @property
    def weight(self) -> int:
        return max(self.window, self.burst * BURST_WEIGHT)

    def sign(self, thread_id: int | None, limit: float) -> SurgeReading:
        """Compare the number with a limit."""
        heat = self.weight / limit
        many, sentence = self.window, stored_reasons.SURGE_MINUTES
        if self.burst * BURST_WEIGHT > self.window:
            many, sentence, limit = self.burst, stored_reasons.SURGE_MINUTE, limit / BURST_WEIGHT
        reason = sentence % {"number": many, "usual": round(limit)}
        return SurgeReading(thread_id, _step(heat), _step(heat * 2), reason)


@dataclass(frozen=True)
class _Counts:
    thread: _Arrivals
    site: _Arrivals
    """Only in threads without a surge of their own."""

    @property
    def are_many(self) -> bool:
        return max(self.thread.weight, self.site.weight) >= FLOOR

    def signs(self, thread_id: int, hourly: int) -> tuple[SurgeReading, SurgeReading]:
        """Compare the counts with a usual busy hour."""
        limit = max(FLOOR, hourly / USUAL_PARTS)
        return self.thread.sign(thread_id, limit), self.site.sign(None, limit * SITE_FACTOR)


def peek(session: Session, site: Site, thread: Thread | None, *, at: datetime) -> SurgeLevel | None:
    """Return the current level without locking; None if it has to be updated (then call `judge`).

    A few indexed reads, however many comments there are. `thread` is None if it does not exist yet.
    """
    if not site.valve:
        return SurgeLevel()
    rows, counts = _read(session, site.id, thread.id if thread else 0, at)
    hourly: int | None = 0
    if rows or counts.are_many:
        hourly = baseline.stored_baseline(session, site.id, at=at)
    if hourly is None:
        return None
    signs = counts.signs(thread.id if thread else 0, hourly)
    if any(sign.is_news(_row_of(rows, sign), at) for sign in signs):
        return None
    return _level([row for sign in signs if (row := _row_of(rows, sign))], at)


def judge(session: Session, site: Site, thread_id: int, *, at: datetime) -> SurgeLevel:
    """Update the surges with the comment that is about to be stored; return the level that applies to it.

    Needs `begin_write` and the thread's lock.
    """
    if not site.valve:
        return SurgeLevel()
    rows, counts = _read(session, site.id, thread_id, at)
    if not rows and not counts.are_many:
        return SurgeLevel()
    signs = counts.signs(thread_id, baseline.usual_rate(session, site.id, at=at))
    results = [episodes.record_reading(session, site.id, _row_of(rows, sign), sign, at=at) for sign in signs]
    return _level([row for row in results if row], at)


def _level(rows: list[Pressure], at: datetime) -> SurgeLevel:
    felt = [(episodes.effective_step(row, at), row.thread_id is None, row.began_at) for row in rows]
    felt = [one for one in felt if one[0]]
    if not felt:
        return SurgeLevel()
    step, site_wide, _ = max(felt)
    return SurgeLevel(step, site_wide, min(began for _, _, began in felt))


def _step(heat: float) -> SurgeStep:
    return (
        SurgeStep.ALL
        if heat >= 4
        else SurgeStep.SCRIPT
        if heat >= 2
        else SurgeStep.LINKS
        if heat >= 1
        else SurgeStep.NONE
    )


def _row_of(rows: Sequence[Pressure], sign: SurgeReading) -> Pressure | None:
    return next((row for row in rows if row.thread_id == sign.thread_id), None)


_c = Comment.__table__.c
_RECENT = (
    select(_c.thread_id, _c.created_at, _c.transfer_key)
    .where(
        _c.site_id == bindparam("site_id"),
        _c.status.in_(list(Status)),  # all, to use the index that has the status before the time
        _c.created_at > bindparam("since"),
        _c.created_at <= bindparam("until"),
        _c.role.is_(None),
    )
    .limit(COUNTED)
    .subquery()
)
_p = Pressure.__table__.c
_OPEN = and_(_p.site_id == bindparam("site_id"), _p.ended_at.is_(None))
# The same rule as in `episodes.step_at`: how long after `hot_at` a step ends.
_HIGH = or_(*(and_(_p.step == step, _p.hot_at > bindparam(f"calm_{step}")) for step in SurgeStep if step))
_HOT = select(_p.thread_id).where(_OPEN, _p.thread_id.is_not(None), _HIGH)

_NEW = _RECENT.c.transfer_key.is_(None)  # outside the subquery, or SQLite would use the index of this column
_HERE = and_(_NEW, _RECENT.c.thread_id == bindparam("thread_id"))
_CALM = and_(_NEW, _RECENT.c.thread_id.not_in(_HOT))
_LATE = _RECENT.c.created_at > bindparam("late")
_TOLD_APART = (_HERE, and_(_HERE, _LATE), _CALM, and_(_CALM, _LATE))
_SUMS = [func.sum(case((which, 1), else_=0)) for which in _TOLD_APART]
_COUNTED = select(*[exists().where(_OPEN), *_SUMS])


def _read(session: Session, site_id: int, thread_id: int, at: datetime) -> tuple[Sequence[Pressure], _Counts]:
    """Count the recent comments of the thread and the site, and read the open surges, usually none."""
    times = {"since": at - WINDOW, "late": at - BURST, "until": at}
    falls = {f"calm_{step}": at - step * episodes.CALM for step in SurgeStep if step}
    given = {"site_id": site_id, "thread_id": thread_id, **times, **falls}
    any_open, *numbers = session.execute(_COUNTED, given).one()
    rows = episodes.open_rows(session, site_id) if any_open else []
    is_hot = any(row.thread_id == thread_id and episodes.step_at(row, at) for row in rows)
    here, here_late, calm, calm_late = (number or 0 for number in numbers)
    also = 0 if is_hot else 1
    return rows, _Counts(_Arrivals(here + 1, here_late + 1), _Arrivals(calm + also, calm_late + also))
