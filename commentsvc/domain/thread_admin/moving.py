"""Moves a thread with all its comments to another site of the same owner."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session, aliased

from commentsvc.db.rows import change_rows
from commentsvc.domain import actions
from commentsvc.domain.thread_admin.thread_controls import get, iso, name_of
from commentsvc.domain.threads import threads
from commentsvc.errors import InvalidFieldsError
from commentsvc.match_keys import match_key
from commentsvc.messages import gettext
from commentsvc.models import Action, Comment, Pressure, Site, Subscription, Thread, ThreadAlias

KIND = "thread.move"


def require_movable(session: Session, thread: Thread, site: Site) -> None:
    """Raise InvalidFieldsError on `to` if the other site already has a thread at one of its addresses."""
    if thread.site_id == site.id:
        raise InvalidFieldsError({"to": gettext("The thread already belongs to this site.")})
    keys = _keys(session, thread)
    forms = {match_key(key, site.ignored_parameters) for key in keys}
    _require_free(session, site, keys, forms)


def _keys(session: Session, thread: Thread) -> list[str]:
    return [thread.key, *session.scalars(select(ThreadAlias.key).where(ThreadAlias.thread_id == thread.id))]


def _require_free(session: Session, site: Site, keys: list[str], forms: set[str]) -> None:
    """Raise InvalidFieldsError if a thread of the site has one of these keys or an equal `match_key`."""
    taken = [
        select(table.id).where(table.site_id == site.id, or_(table.key.in_(keys), table.match_key.in_(forms)))
        for table in (Thread, ThreadAlias)
    ]
    if session.scalar(select(func.count()).where(or_(*(query.exists() for query in taken)))):
        raise InvalidFieldsError(
            {
                "to": gettext("%(site)s already has a thread at this address; rename one of them.")
                % {"site": site.name}
            }
        )


def move(session: Session, thread: Thread, site: Site, *, moderator_id: int | None, at: datetime) -> Action:
    """Move a thread with everything in it to another site. Needs `begin_write`; the caller commits.

    The caller has checked the person's role on both sites. Raises InvalidFieldsError on `to`.
    """
    threads.lock(session, thread.id)
    require_movable(session, thread, site)
    source_id, summary = thread.site_id, f"Moved {name_of(thread)} to the site {site.name}."
    # A transfer key is unique within a site: comments that both sites imported lose it here.
    other = aliased(Comment)
    twice = (
        select(Comment.id, Comment.transfer_key)
        .join(other, other.transfer_key == Comment.transfer_key)
        .where(Comment.thread_id == thread.id, other.site_id == site.id)
    )
    marks = [[number, key] for number, key in session.execute(twice)]
    for number, _ in marks:
        change_rows(session, update(Comment).where(Comment.id == number).values(transfer_key=None))
    _hand_over(session, thread, site.id)
    return actions.record(
        session,
        site_id=source_id,
        moderator_id=moderator_id,
        kind=KIND,
        summary=summary,
        at=at,
        facts={"thread_id": thread.id, "begun": iso(thread.created_at), "site_id": site.id, "marks": marks},
    )


def undo(session: Session, action: Action, *, at: datetime) -> Thread:
    """Move a thread back. Needs `begin_write`, and the person's role on both sites.

    Raises InvalidFieldsError on `action` if it was moved again, or its address is taken.
    """
    facts = action.facts
    thread = get(session, facts["thread_id"])
    threads.lock(session, thread.id)
    session.refresh(action)
    session.refresh(thread)
    begun = iso(thread.created_at)
    is_another = facts.get("begun", begun) != begun  # SQLite reuses the ids of deleted rows
    if action.undone_at is not None or is_another or thread.site_id != facts["site_id"]:
        raise InvalidFieldsError(
            {"action": gettext("This cannot be undone now: the thread has been moved again.")}
        )
    # A second thread of the same article may have stayed there, as before the move: compare only exact keys.
    _require_free(session, session.get_one(Site, action.site_id), _keys(session, thread), set())
    _hand_over(session, thread, action.site_id)
    for number, key in facts["marks"]:
        change_rows(session, update(Comment).where(Comment.id == number).values(transfer_key=key))
    action.undone_at = at
    session.flush()
    return thread


def _hand_over(session: Session, thread: Thread, site_id: int) -> None:
    ignored = session.get_one(Site, site_id).ignored_parameters
    threads.invalidate_site(session, thread.site_id)
    thread.site_id, thread.match_key = site_id, match_key(thread.key, ignored)
    for alias in session.scalars(select(ThreadAlias).where(ThreadAlias.thread_id == thread.id)):
        alias.match_key = match_key(alias.key, ignored)
    session.flush()
    threads.invalidate_site(session, site_id)
    for table in (Comment, ThreadAlias, Pressure, Subscription):
        change_rows(session, update(table).where(table.thread_id == thread.id).values(site_id=site_id))
    threads.mark_changed(session, thread.id)
    session.expire_all()
