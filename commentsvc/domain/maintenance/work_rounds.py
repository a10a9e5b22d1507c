"""Records that background work is done, so that `doctor` and `/healthz` notice where nobody does it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from commentsvc.db.session import connect_to_write
from commentsvc.models import WorkRound

LATE = timedelta(minutes=10)
"""The time without a round after which nobody seems to do them; slow mail servers and articles can delay one."""

last_round = select(WorkRound.at).where(WorkRound.id == 1)
"""The query for the time of the last round; no row before the first."""


def record(engine: Engine, *, at: datetime) -> None:
    """Store the time of a round. Readers see nothing of it, so no page is announced as changed."""
    with connect_to_write(engine) as connection:
        if not connection.execute(update(WorkRound).values(at=at)).rowcount:
            try:
                connection.execute(insert(WorkRound).values(id=1, at=at))
            except IntegrityError:  # another process made the first record
                connection.rollback()
        connection.commit()


def is_late(last: datetime | None, *, at: datetime) -> bool:
    """Return whether nobody seems to do the background work; `last` is the time of the last round."""
    return last is None or at - last > LATE
