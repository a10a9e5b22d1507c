"""Lets cached pages show the latest votes: at most once a minute for each thread."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.db.session import begin_write
from commentsvc.domain.threads import threads
from commentsvc.models import Thread

EVERY = timedelta(minutes=1)
"""How long after the first of some votes a thread's pages are rendered again."""
BATCH = 200
"""Threads per transaction."""


def publish(session: Session, *, at: datetime) -> int:
    """Give threads whose votes are due a new version; return how many, at most `BATCH`. Commits."""
    is_due = Thread.votes_since <= at - EVERY
    ids = session.scalars(select(Thread.id).where(is_due).order_by(Thread.votes_since).limit(BATCH)).all()
    session.rollback()
    if not ids:
        return 0
    begin_write(session)
    threads.lock_all(session, ids)
    change = update(Thread).where(Thread.id.in_(ids), is_due)
    change = change.values(version=Thread.version + 1, votes_since=None)
    change_rows(session, change)
    session.commit()
    return len(ids)
