"""Gives a thread a new address; the old key stays as an alias."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from commentsvc.domain import actions
from commentsvc.domain.thread_admin.thread_controls import get, name_of
from commentsvc.domain.threads import threads
from commentsvc.errors import BadAddressError, InvalidFieldsError, KeyTakenError
from commentsvc.match_keys import match_key
from commentsvc.messages import gettext
from commentsvc.models import Action, Thread, ThreadAlias

KIND = "thread.rename"


def rename(
    session: Session, thread: Thread, *, url: str, page_id: str = "", moderator_id: int | None, at: datetime
) -> Action | None:
    """Give a thread a new address; the old key stays as an alias. Needs `begin_write`; the caller commits.

    Returns None if nothing changes. Raises InvalidFieldsError on `url`, KeyTakenError if another thread has this
    address.
    """
    try:
        address = threads.address_on(thread.site, url.strip(), page_id=page_id.strip())
    except BadAddressError as error:
        raise InvalidFieldsError({"url": str(error)}) from None
    if not threads.is_on(thread.site, address.url):
        raise InvalidFieldsError(
            {"url": gettext("This is not on one of the site's origins; add it in the settings first.")}
        )
    if (address.key, address.url) == (thread.key, thread.url):
        return None
    there = threads.find(session, address)
    if there is not None and there.id != thread.id:
        raise KeyTakenError(there.id)
    threads.lock(session, thread.id)
    before = {"key": thread.key, "url": thread.url}
    was_alias = session.scalar(select(ThreadAlias.id).where(_alias(thread, address.key))) is not None
    summary = f"Renamed {name_of(thread)} to {address.url}."
    _give(session, thread, key=address.key, url=address.url, at=at)
    return actions.record(
        session,
        site_id=thread.site_id,
        moderator_id=moderator_id,
        kind=KIND,
        summary=summary,
        at=at,
        facts={
            "thread_id": thread.id,
            "before": before,
            "after": {"key": thread.key, "url": thread.url},
            "was_alias": was_alias,
        },
    )


def undo(session: Session, action: Action, *, at: datetime) -> Thread:
    """Restore a thread's old address. Needs `begin_write`; the caller commits.

    Raises InvalidFieldsError on `action` if the address was changed again.
    """
    facts = action.facts
    thread = get(session, facts["thread_id"])
    threads.lock(session, thread.id)
    session.refresh(thread)
    session.refresh(action)
    now = {"key": thread.key, "url": thread.url}
    if action.undone_at is not None or now != facts["after"] or thread.site_id != action.site_id:
        raise InvalidFieldsError(
            {"action": gettext("This cannot be undone now: the thread has been changed since.")}
        )
    _give(session, thread, **facts["before"], at=at)
    if facts["before"]["key"] != facts["after"]["key"] and not facts["was_alias"]:
        session.execute(delete(ThreadAlias).where(_alias(thread, facts["after"]["key"])))
    action.undone_at = at
    return thread


def _give(session: Session, thread: Thread, *, key: str, url: str, at: datetime) -> None:
    old = thread.key
    session.execute(delete(ThreadAlias).where(_alias(thread, key)))
    ignored = thread.site.ignored_parameters
    thread.key, thread.match_key, thread.url = key, match_key(key, ignored), url
    session.flush()
    if old != key and session.scalar(select(ThreadAlias.id).where(_alias(thread, old))) is None:
        session.add(
            ThreadAlias(
                site_id=thread.site_id,
                key=old,
                match_key=match_key(old, ignored),
                thread_id=thread.id,
                created_at=at,
            )
        )
        session.flush()
    threads.mark_changed(session, thread.id)
    threads.invalidate_site(session, thread.site_id)


def _alias(thread: Thread, key: str) -> ColumnElement[bool]:
    return (ThreadAlias.site_id == thread.site_id) & (ThreadAlias.key == key)
