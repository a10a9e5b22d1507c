"""What only the service knows, as metrics: the queue, the outbox, protection against surges, background work.

Each scrape reads it from the database, so that it is the same whichever process answers. Every query reads an index,
and stops after `MOST` rows: a scrape costs the same with a hundred comments as with a million.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, literal_column, select, text
from sqlalchemy.orm import Session

from commentsvc.db.session import sqlite_file
from commentsvc.domain.maintenance import work_rounds
from commentsvc.domain.surge import episodes
from commentsvc.integrations.prometheus import MetricFamily, Sample
from commentsvc.models import Comment, Delivery, Notice, PendingEdit, Pressure, Site, Status

MOST = 10_000
"""Counting stops here: above it, an exact number is of no use."""
MOST_SITES = 500
RECENT = timedelta(hours=1)
"""The time whose finished deliveries are counted."""
_OTHER_KIND = "other"
"""The kind of mails that are stored with their text, such as alerts and codes."""
# A literal, because the engines use the partial index only for its very condition.
_REPORTED: ColumnElement[bool] = literal_column(
    "comment.reports > 0 AND comment.status IN ('approved', 'held')"
)


def families(
    session: Session, *, at: datetime, version: str, code: str, backup: datetime | None
) -> Iterator[MetricFamily]:
    """Yield all metrics as of a time: `version` and `code` say which program runs, `backup` the time of the last."""
    yield MetricFamily(
        "commentsvc_build_info",
        "The release that answers, and the beginning of the hash of its files; always 1.",
        [((("version", version), ("code", code[:12])), 1)],
    )
    yield from _queue(session, at)
    yield from _outbox(session, at)
    yield _pressure(session, at)
    last = session.scalar(work_rounds.last_round)
    yield _single(
        "commentsvc_background_work_timestamp_seconds",
        "When background work last began, as a Unix time.",
        last.timestamp() if last else None,
    )
    yield _single(
        "commentsvc_backup_timestamp_seconds",
        "When the last proved backup was made, as a Unix time.",
        backup.timestamp() if backup else None,
    )
    yield _single("commentsvc_database_bytes", "The size of the database.", _database_size(session))


def _queue(session: Session, at: datetime) -> Iterator[MetricFamily]:
    rows = session.execute(held_comments()).all()
    lists = {
        "held": {row.id: row.number for row in rows},
        "reported": _by_site(session, reported_comments()),
        "edits": _by_site(session, pending_edits()),
    }
    yield MetricFamily(
        "commentsvc_queue_comments",
        f"Comments that wait for a moderator, by list; counted up to {MOST}.",
        [
            ((("site", row.name), ("list", name)), numbers.get(row.id, 0))
            for row in rows
            for name, numbers in lists.items()
        ],
    )
    yield MetricFamily(
        "commentsvc_queue_oldest_seconds",
        "The age of the oldest held comment; 0 if none is held.",
        [((("site", row.name),), _age(row.oldest, at)) for row in rows],
    )


def _outbox(session: Session, at: datetime) -> Iterator[MetricFamily]:
    yield MetricFamily(
        "commentsvc_outbox_waiting",
        f"Mails and messages that wait to be sent, by kind; counted up to {MOST}.",
        [(_kind(row), row.number) for row in session.execute(waiting_deliveries())],
    )
    due = session.scalar(select(func.min(Delivery.next_attempt_at)))
    yield _single(
        "commentsvc_outbox_late_seconds",
        "The time since the earliest waiting delivery was due; 0 if none is due.",
        _age(due, at),
    )
    yield MetricFamily(
        "commentsvc_outbox_finished",
        f"Deliveries that were sent, failed or were skipped within the last hour; counted up to {MOST}.",
        [
            ((*_kind(row), ("state", row.state)), row.number)
            for row in session.execute(finished_deliveries(at - RECENT))
        ],
    )
    noticed = session.scalar(select(func.min(Notice.created_at)).where(Notice.done_at.is_(None)))
    yield _single(
        "commentsvc_notices_oldest_seconds",
        "The age of the oldest new comment whose subscribers have not been looked up; 0 if there is none.",
        _age(noticed, at),
    )


def _pressure(session: Session, at: datetime) -> MetricFamily:
    steps: dict[str, int] = {}
    for row in session.execute(open_surges()):
        steps[row.name] = max(
            steps.get(row.name, 0),
            episodes.effective_step(row.Pressure, at) if row.Pressure and row.valve else 0,
        )
    return MetricFamily(
        "commentsvc_pressure_level",
        "Surge protection: 0 none, 1 holds links, 2 also what was sent without script, 3 holds all comments.",
        [((("site", name),), step) for name, step in steps.items()],
    )


def held_comments() -> Select[Any]:
    """Select each site's number of held comments, and when its oldest held one was written."""
    held = (
        select(Comment.id)
        .where(Comment.site_id == Site.id, Comment.status == Status.HELD)
        .correlate(Site)
        .order_by(Comment.id)  # as the index is, or PostgreSQL collects all of them before it counts
        .limit(MOST)
        .subquery("held_comment")
    )
    oldest = select(func.min(Comment.created_at)).where(
        Comment.site_id == Site.id, Comment.status == Status.HELD
    )
    return (
        select(
            Site.id,
            Site.name,
            select(func.count()).select_from(held).scalar_subquery().label("number"),
            oldest.correlate(Site).scalar_subquery().label("oldest"),
        )
        .order_by(Site.id)
        .limit(MOST_SITES)
    )


def reported_comments() -> Select[Any]:
    """Select the number of reported comments, by site: all together, along the partial index."""
    reported = select(Comment.site_id).where(_REPORTED).limit(MOST).subquery("reported_comment")
    return select(reported.c.site_id, func.count().label("number")).group_by(reported.c.site_id)


def pending_edits() -> Select[Any]:
    """Select the number of edits that wait for a moderator, by site."""
    # The edits first: SQLite would rather walk through all comments.
    edit = select(PendingEdit.comment_id).limit(MOST).subquery("edit")
    waiting = (
        select(Comment.site_id)
        .join(edit, edit.c.comment_id == Comment.id)
        .where(Comment.status == Status.APPROVED)
        .limit(MOST)
        .subquery("waiting_edit")
    )
    return select(waiting.c.site_id, func.count().label("number")).group_by(waiting.c.site_id)


def waiting_deliveries() -> Select[Any]:
    """Select the number of deliveries that wait, by kind."""
    waiting = (
        select(Delivery.kind)
        .where(Delivery.next_attempt_at.is_not(None))
        .order_by(Delivery.next_attempt_at)
        .limit(MOST)
        .subquery("waiting_delivery")
    )
    return select(waiting.c.kind, func.count().label("number")).group_by(waiting.c.kind)


def finished_deliveries(since: datetime) -> Select[Any]:
    """Select the number of deliveries that ended since a time, by kind and state."""
    finished = (
        select(Delivery.kind, Delivery.state)
        .where(Delivery.closed_at.is_not(None), Delivery.closed_at >= since)
        .order_by(Delivery.closed_at.desc())
        .limit(MOST)
        .subquery("finished_delivery")
    )
    columns = (finished.c.kind, finished.c.state)
    return select(*columns, func.count().label("number")).group_by(*columns)


def open_surges() -> Select[str, bool, Pressure]:
    """Select each site with its surges that have no recorded end; a site without one has a row, too."""
    is_open = (Pressure.site_id == Site.id) & Pressure.ended_at.is_(None)
    surges = select(Site.name, Site.valve, Pressure).outerjoin(Pressure, is_open)
    return surges.order_by(Site.id).limit(MOST)


def _by_site(session: Session, query: Select[Any]) -> dict[int, int]:
    return {row.site_id: row.number for row in session.execute(query)}


def _kind(row: Row[Any]) -> tuple[tuple[str, str], ...]:
    return (("kind", row.kind or _OTHER_KIND),)


def _single(name: str, explained: str, value: float | None) -> MetricFamily:
    samples: Sequence[Sample] = [] if value is None else [((), value)]
    return MetricFamily(name, explained, samples)


def _age(since: datetime | None, at: datetime) -> float:
    return max(0.0, (at - since).total_seconds()) if since else 0.0


def _database_size(session: Session) -> int:
    """Return bytes: of SQLite with its write-ahead log, of PostgreSQL with its indexes."""
    file = sqlite_file(session.get_bind().engine.url)
    if file is None:
        return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    logs = [file.with_name(f"{file.name}-wal"), file]
    return sum(path.stat().st_size for path in logs if path.exists())
