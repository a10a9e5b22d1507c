"""Episodes of a surge: how each step begins, falls with time, and is logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain import actions, stored_reasons
from commentsvc.domain.notifications import events
from commentsvc.domain.threads import titles
from commentsvc.messages import gettext, gettext_noop
from commentsvc.models import Event, Pressure, Site, Thread

CALM = timedelta(minutes=10)
"""The time without too many comments after which protection falls by one step."""
NOTED_EVERY = timedelta(seconds=30)
"""How often a continuing surge is recorded."""
SHOWN = 5
_TITLE_LONGEST = 100


@dataclass(frozen=True, slots=True)
class SurgeEpisode:
    """A surge as moderators see it."""

    id: int
    thread_id: int | None
    title: str
    """The thread's title or URL; empty for the whole site."""
    step: int
    eased: bool
    began_at: datetime
    reason: str

    @property
    def effect(self) -> str:
        """What happens to comments, as the beginning of a sentence."""
        return gettext(_EFFECTS[SurgeStep(self.step)])

    @property
    def holds_all(self) -> bool:
        return self.step == SurgeStep.ALL and not self.eased


class SurgeStep(IntEnum):
    """How strong the protection is; each step includes the lower ones."""

    NONE = 0
    LINKS = 1
    """Comments with a link are held."""
    SCRIPT = 2
    """Comments that the page's script did not send are held, too."""
    ALL = 3
    """All comments are held."""


WORDS = {
    SurgeStep.LINKS: "comments with links are held",
    SurgeStep.SCRIPT: "comments with links or sent without script are held",
    SurgeStep.ALL: "all comments are held",
}
"""As mails and the log say it, in English."""
_EFFECTS = {
    SurgeStep.LINKS: gettext_noop("Comments with links are held"),
    SurgeStep.SCRIPT: gettext_noop("Comments with links or sent without script are held"),
    SurgeStep.ALL: gettext_noop("All comments are held"),
}


def step_at(row: Pressure, at: datetime) -> SurgeStep:
    """Return the step at a time; it falls with time, even if nobody writes."""
    return SurgeStep(max(0, row.step - max(0, (at - row.hot_at) // CALM)))


def effective_step(row: Pressure, at: datetime) -> SurgeStep:
    """Return the step that applies: none while a moderator has switched it off."""
    return SurgeStep.NONE if row.eased_at else step_at(row, at)


def current(session: Session, site: Site, *, at: datetime) -> list[SurgeEpisode]:
    """Return the surges of a site that are not over, the whole site's first, at most `SHOWN`."""
    if not site.valve:
        return []
    rows = [row for row in open_rows(session, site.id) if step_at(row, at)]
    rows.sort(key=lambda row: (row.thread_id is not None, -step_at(row, at), row.id))
    results = []
    for row in rows[:SHOWN]:
        thread = session.get(Thread, row.thread_id) if row.thread_id else None
        title = (thread.title or thread.url) if thread else ""
        eased, step = row.eased_at is not None, int(step_at(row, at))
        results.append(
            SurgeEpisode(
                row.id, row.thread_id, title, step, eased, row.began_at, stored_reasons.translated(row.reason)
            )
        )
    return results


def open_rows(session: Session, site_id: int) -> Sequence[Pressure]:
    """Return the surges of a site without a recorded end; some may be over by the time."""
    query = select(Pressure).where(Pressure.site_id == site_id, Pressure.ended_at.is_(None))
    return session.scalars(query.order_by(Pressure.id).execution_options(populate_existing=True)).all()


@dataclass(frozen=True)
class SurgeReading:
    """What the rate of comments means for a thread or the site."""

    thread_id: int | None
    rises_to: SurgeStep
    """The highest step whose threshold the rate reaches."""
    stays_at: SurgeStep
    """The highest step that the rate maintains."""
    reason: str

    def is_news(self, row: Pressure | None, at: datetime) -> bool:
        """Whether this changes the open surge."""
        if row is None:
            return bool(self.rises_to)
        passed = at - row.hot_at
        keeps_up = self.stays_at >= row.step and passed >= NOTED_EVERY
        return self.rises_to > row.step or passed >= CALM or keeps_up


def record_reading(
    session: Session, site_id: int, row: Pressure | None, sign: SurgeReading, *, at: datetime
) -> Pressure | None:
    """Record a rise, a fall or an end, if the reading means one; return the surge that is open now.

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
    """Record the falls that are due, each at its own time. Needs `begin_write` and the row's lock."""
    while row.ended_at is None and at - row.hot_at >= CALM:
        row.hot_at += CALM
        row.step -= 1
        if not row.step:
            row.ended_at = row.hot_at
            events.record_on_site(session, Event.SURGE_ENDED, row.site_id, row.id, at=at)
            _log(
                session,
                row,
                "end",
                f"The surge on {where(session, row)} is over: comments are no longer held because of it.",
                row.hot_at,
            )
        elif row.eased_at is None:
            _log(
                session,
                row,
                "fall",
                f"The surge on {where(session, row)} slows down: only {WORDS[SurgeStep(row.step)]}.",
                row.hot_at,
            )
    session.flush()


def close_ended(session: Session, *, at: datetime) -> int:
    """Record the falls and ends that are due on all sites; return the number of surges. Commits."""
    due = select(Pressure.id).where(Pressure.ended_at.is_(None), Pressure.hot_at <= at - CALM)
    ids = session.scalars(due.limit(100)).all()
    for pressure_id in ids:
        begin_write(session)
        row = session.get(Pressure, pressure_id, with_for_update=True, populate_existing=True)
        if row is not None:
            record_fall(session, row, at)
        session.commit()
    return len(ids)


def ease(session: Session, row: Pressure, *, moderator_id: int, at: datetime) -> None:
    """Switch the protection off until the surge is over; then a new one can begin. Needs `begin_write`."""
    row.eased_at = at
    text = f"Switched surge protection off on {where(session, row)} until the surge is over."
    _log(session, row, "ease", text, at, moderator_id)


def hold_all(session: Session, row: Pressure, *, moderator_id: int, at: datetime) -> None:
    """Go to the highest step at once; it falls with time, as any step does. Needs `begin_write`."""
    row.step, row.hot_at, row.eased_at = SurgeStep.ALL, at, None
    _log(session, row, "hold", f"Held all new comments on {where(session, row)}.", at, moderator_id)


def end_all(session: Session, site_id: int, *, at: datetime) -> None:
    """End the surges of a site without logging it, because its protection is switched off. Needs `begin_write`."""
    for row in open_rows(session, site_id):
        row.ended_at = at
        events.record_on_site(session, Event.SURGE_ENDED, site_id, row.id, at=at)
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
    except IntegrityError:  # another process has just opened it
        return next((one for one in open_rows(session, site_id) if one.thread_id == sign.thread_id), None)
    _log_rise(session, row, at)
    events.record_on_site(session, Event.SURGE_BEGAN, site_id, row.id, at=at)
    return row


def _log_rise(session: Session, row: Pressure, at: datetime) -> None:
    text = f"{_capital(WORDS[SurgeStep(row.step)])} on {where(session, row)}: {row.reason}"
    _log(session, row, "rise", text, at)


def _log(
    session: Session, row: Pressure, kind: str, summary: str, at: datetime, moderator_id: int | None = None
) -> None:
    actions.record(
        session,
        site_id=row.site_id,
        moderator_id=moderator_id,
        kind=f"pressure.{kind}",
        summary=summary,
        at=at,
        facts={"pressure": row.id, "thread": row.thread_id, "step": row.step},
    )


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def where(session: Session, row: Pressure, *, in_mail: bool = False) -> str:
    """Name the thread or the site in a sentence; in a mail, without a title that only a browser has sent."""
    thread = session.get(Thread, row.thread_id) if row.thread_id else None
    if thread is None:
        return "the whole site"
    name = titles.name_for_mail(thread) if in_mail else thread.title or thread.url
    return f"“{name if len(name) <= _TITLE_LONGEST else name[: _TITLE_LONGEST - 1] + '…'}”"
