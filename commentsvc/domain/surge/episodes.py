"""Surge episodes: how each step begins, fades with time, and is logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain import actions
from commentsvc.domain.threads import titles
from commentsvc.models import Pressure, Site, Thread

CALM = timedelta(minutes=10)
"""After so long without too many comments it goes down one step."""
NOTED_EVERY = timedelta(seconds=30)
"""How often it is written down that it goes on."""
SHOWN = 5
_TITLE_LONGEST = 100


@dataclass(frozen=True, slots=True)
class SurgeEpisode:
    """A time of pressure as moderators are shown it."""

    id: int
    thread_id: int | None
    title: str
    """The thread's name, or its address; empty for the whole site."""
    step: int
    eased: bool
    began_at: datetime
    reason: str

    @property
    def effect(self) -> str:
        """What happens to comments there, as the beginning of a sentence."""
        return _capital(WORDS[SurgeStep(self.step)])

    @property
    def holds_all(self) -> bool:
        return self.step == SurgeStep.ALL and not self.eased


class SurgeStep(IntEnum):
    """How much friction there is; each step does what those below it do."""

    NONE = 0
    LINKS = 1
    """Comments with a link wait."""
    SCRIPT = 2
    """So do those that the page's script did not send."""
    ALL = 3
    """Every comment waits."""


WORDS = {
    SurgeStep.LINKS: "comments with links wait",
    SurgeStep.SCRIPT: "comments with links wait, and those of browsers that run no script",
    SurgeStep.ALL: "all comments wait",
}


def step_at(row: Pressure, at: datetime) -> SurgeStep:
    """Return how high it is at a time, whether or not anybody has written since: it falls by itself."""
    return SurgeStep(max(0, row.step - max(0, (at - row.hot_at) // CALM)))


def effective_step(row: Pressure, at: datetime) -> SurgeStep:
    """Return the friction that is felt: none while a moderator has taken it away."""
    return SurgeStep.NONE if row.eased_at else step_at(row, at)


def current(session: Session, site: Site, *, at: datetime) -> list[SurgeEpisode]:
    """Return a site's times of pressure that are not over at this moment, the site's own first, at most `SHOWN`."""
    if not site.valve:
        return []
    rows = [row for row in open_rows(session, site.id) if step_at(row, at)]
    rows.sort(key=lambda row: (row.thread_id is not None, -step_at(row, at), row.id))
    results = []
    for row in rows[:SHOWN]:
        thread = session.get(Thread, row.thread_id) if row.thread_id else None
        title = (thread.title or thread.url) if thread else ""
        eased, step = row.eased_at is not None, int(step_at(row, at))
        results.append(SurgeEpisode(row.id, row.thread_id, title, step, eased, row.began_at, row.reason))
    return results


def open_rows(session: Session, site_id: int) -> Sequence[Pressure]:
    """Return a site's times of pressure that nobody has written an end of; some may be over by the clock."""
    query = select(Pressure).where(Pressure.site_id == site_id, Pressure.ended_at.is_(None))
    return session.scalars(query.order_by(Pressure.id).execution_options(populate_existing=True)).all()


@dataclass(frozen=True)
class SurgeReading:
    """What the rate of comments says about a thread, or about the site."""

    thread_id: int | None
    rises_to: SurgeStep
    """The highest step whose threshold it reaches."""
    stays_at: SurgeStep
    """The highest step that it keeps up."""
    reason: str

    def is_news(self, row: Pressure | None, at: datetime) -> bool:
        """Whether it changes anything for what is open there."""
        if row is None:
            return bool(self.rises_to)
        passed = at - row.hot_at
        keeps_up = self.stays_at >= row.step and passed >= NOTED_EVERY
        return self.rises_to > row.step or passed >= CALM or keeps_up


def record_reading(
    session: Session, site_id: int, row: Pressure | None, sign: SurgeReading, *, at: datetime
) -> Pressure | None:
    """Write down what a sign means: a rise, a fall, an end, or nothing new; return what is open now.

    Needs `begin_write`.
    """
    if not sign.is_news(row, at):
        return row
    if row is None:
        return _open(session, site_id, sign, at)
    session.refresh(row, with_for_update=True)
    record_fall(session, row, at)
    if row.ended_at is not None:
        return _open(session, site_id, sign, at) if sign.rises_to else None
    if sign.rises_to > row.step:
        row.step, row.hot_at, row.reason = sign.rises_to, at, sign.reason
        if row.eased_at is None:
            _log_rise(session, row, at)
    elif sign.stays_at >= row.step:
        row.hot_at = max(row.hot_at, at)
    session.flush()
    return row


def record_fall(session: Session, row: Pressure, at: datetime) -> None:
    """Write down the falls that time has brought, each as of when it came. Needs `begin_write` and the row's lock."""
    while row.ended_at is None and at - row.hot_at >= CALM:
        row.hot_at += CALM
        row.step -= 1
        if not row.step:
            row.ended_at = row.hot_at
            _log(
                session,
                row,
                "end",
                f"Calm again on {where(session, row)}: nothing waits any more for that.",
                row.hot_at,
            )
        elif row.eased_at is None:
            _log(
                session,
                row,
                "fall",
                f"Calmer on {where(session, row)}: only {WORDS[SurgeStep(row.step)]}.",
                row.hot_at,
            )
    session.flush()


def close_ended(session: Session, *, at: datetime) -> int:
    """Settle whatever has become calm on any site, and return how many rows that was. It commits by itself."""
    due = select(Pressure.id).where(Pressure.ended_at.is_(None), Pressure.hot_at <= at - CALM)
    ids = session.scalars(due.limit(100)).all()
    for one in ids:
        begin_write(session)
        row = session.get(Pressure, one, with_for_update=True, populate_existing=True)
        if row is not None:
            record_fall(session, row, at)
        session.commit()
    return len(ids)


def ease(session: Session, row: Pressure, *, moderator_id: int, at: datetime) -> None:
    """Take the friction away until it is calm; then a new time of pressure may begin. Needs `begin_write`."""
    row.eased_at = at
    text = f"Switched the pressure valve off on {where(session, row)} until it is calm."
    _log(session, row, "ease", text, at, moderator_id)


def hold_all(session: Session, row: Pressure, *, moderator_id: int, at: datetime) -> None:
    """Go to the highest step at once; it falls by itself as if it had been reached. Needs `begin_write`."""
    row.step, row.hot_at, row.eased_at = SurgeStep.ALL, at, None
    _log(session, row, "hold", f"Holds all comments on {where(session, row)}.", at, moderator_id)


def end_all(session: Session, site_id: int, *, at: datetime) -> None:
    """End a site's times of pressure, without a word: the valve is switched off. Needs `begin_write`."""
    for row in open_rows(session, site_id):
        row.ended_at = at
    session.flush()


def _open(session: Session, site_id: int, sign: SurgeReading, at: datetime) -> Pressure | None:
    row = Pressure(
        site_id=site_id,
        thread_id=sign.thread_id,
        step=sign.rises_to,
        reason=sign.reason,
        began_at=at,
        hot_at=at,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # somebody else has noticed it just now
        return next((one for one in open_rows(session, site_id) if one.thread_id == sign.thread_id), None)
    _log_rise(session, row, at)
    return row


def _log_rise(session: Session, row: Pressure, at: datetime) -> None:
    text = f"{_capital(WORDS[SurgeStep(row.step)])} on {where(session, row)}: {row.reason}"
    _log(session, row, "rise", text, at)


def _log(
    session: Session, row: Pressure, kind: str, said: str, at: datetime, moderator_id: int | None = None
) -> None:
    actions.record(
        session,
        site_id=row.site_id,
        moderator_id=moderator_id,
        kind=f"pressure.{kind}",
        summary=said,
        at=at,
        facts={"pressure": row.id, "thread": row.thread_id, "step": row.step},
    )


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def where(session: Session, row: Pressure, *, in_mail: bool = False) -> str:
    """Name the thread, or the site, in a sentence; in a mail without what a mere browser calls it."""
    thread = session.get(Thread, row.thread_id) if row.thread_id else None
    if thread is None:
        return "the whole site"
    name = titles.name_for_mail(thread) if in_mail else thread.title or thread.url
    return f"“{name if len(name) <= _TITLE_LONGEST else name[: _TITLE_LONGEST - 1] + '…'}”"
