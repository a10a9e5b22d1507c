"""Moves threads to the addresses that their articles have by now, as one action with undo."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.domain.thread_admin import merging, renaming
from commentsvc.domain.threads import threads
from commentsvc.errors import InvalidFieldsError, NotFoundError
from commentsvc.messages import gettext
from commentsvc.models import Action, Site, Thread

KIND = "thread.follow"


def follow(
    session: Session, site: Site, moves: Iterable[tuple[int, str]], *, moderator_id: int | None, at: datetime
) -> Action:
    """Give each thread, by its id, the URL of its article; where that has a thread already, merge them.

    Needs `begin_write`; the caller commits. Returns one action, whose undoing restores all of them.
    """
    done: list[int] = []
    for thread_id, url in moves:
        thread = session.scalar(select(Thread).where(Thread.id == thread_id, Thread.site_id == site.id))
        if thread is None:  # merged by a move before
            continue
        there = threads.find(session, threads.address_on(site, url))
        if there is None:
            step = renaming.rename(session, thread, url=url, moderator_id=moderator_id, at=at)
        elif there.id != thread.id:
            step = merging.merge(session, thread, there, moderator_id=moderator_id, at=at)
        else:
            step = None
        if step is not None:
            done.append(step.id)
    number = "1 thread" if len(done) == 1 else f"{len(done):,} threads"
    return actions.record(
        session,
        site_id=site.id,
        moderator_id=moderator_id,
        kind=KIND,
        summary=f"Moved {number} to the addresses that an import found.",
        at=at,
        facts={"actions": done},
    )


def undo(session: Session, action: Action, *, at: datetime) -> int:
    """Restore the threads' addresses, the last one first; return how many. Threads changed since stay as they are.

    Needs `begin_write`; the caller commits. Raises InvalidFieldsError on `action` if it is undone already.
    """
    session.refresh(action, with_for_update=True)
    if action.undone_at is not None:
        raise InvalidFieldsError({"action": gettext("This is already undone.")})
    restored = 0
    for number in reversed(action.facts["actions"]):
        step = session.get(Action, number)
        if step is None or step.undone_at is not None:
            continue
        with suppress(InvalidFieldsError, NotFoundError):
            (merging.unmerge if step.kind == merging.KIND else renaming.undo)(session, step, at=at)
            restored += 1
    session.get_one(Action, action.id).undone_at = at
    session.flush()
    return restored
