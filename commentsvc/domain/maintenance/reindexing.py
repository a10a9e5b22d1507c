"""Gives rows of earlier releases their search text, while the service runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.models import search_text
from commentsvc.models.searched import SEARCHED

BATCH = 200
"""Rows in one transaction; while it lasts, nobody else writes on SQLite."""


def reindex(session: Session, *, progress: Callable[[int], object] | None = None) -> int:
    """Write the search texts that are missing; return how many.

    It commits by itself after every batch, so that an interrupted run can simply be started again. `progress` is
    called with the number of rows dealt with since its last call.
    """
    done = 0
    for model, columns in SEARCHED.items():
        last = 0
        while batch := _batch(session, model, columns, after=last):
            last = batch[-1].id
            # The slow part comes before the lock.
            given = [{"row": row.id, "words": search_text(model, dict(row._mapping))} for row in batch]
            begin_write(session)
            session.connection().execute(_change(model), given)
            session.commit()
            done += len(batch)
            if progress is not None:
                progress(len(batch))
    session.rollback()  # nothing stays open after the last look
    return done


def count(session: Session) -> int:
    """Return how many rows have no search text."""
    return sum(
        session.scalar(select(func.count()).select_from(model).where(model.search_text.is_(None))) or 0
        for model in SEARCHED
    )


def _batch(session: Session, model: Any, columns: tuple[str, ...], *, after: int) -> Any:
    query = select(model.id, *(getattr(model, name) for name in columns))
    missing = query.where(model.id > after, model.search_text.is_(None))
    return session.execute(missing.order_by(model.id).limit(BATCH)).all()


def _change(model: Any) -> Any:
    """Leave out a row that was changed meanwhile, which writes its search text by itself."""
    table = model.__table__
    here = update(table).where(table.c.id == bindparam("row"), table.c.search_text.is_(None))
    return here.values(search_text=bindparam("words"))
