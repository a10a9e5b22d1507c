"""Merges two threads of one article, and separates them again without losing anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, and_, delete, func, literal, select, update
from sqlalchemy.orm import Session, aliased

from commentsvc.db.rows import change_rows
from commentsvc.domain import actions
from commentsvc.domain.subscriptions import subscriptions
from commentsvc.domain.thread_admin.thread_controls import get, iso, name_of
from commentsvc.domain.threads import threads
from commentsvc.errors import InvalidFieldsError
from commentsvc.match_keys import match_key
from commentsvc.messages import gettext
from commentsvc.models import (
    Action,
    Comment,
    Kind,
    Pressure,
    SocialLink,
    Status,
    Subscription,
    Thread,
    ThreadAlias,
    TitleSource,
    Webmention,
)

KIND = "thread.merge"
_KEPT = ("id", "key", "url", "title", "title_source", "title_tries", "version", "slow_seconds", "imported")


def require_mergeable(source: Thread, target: Thread) -> None:
    """Raise InvalidFieldsError on `into` if both are the same thread or belong to different sites."""
    if source.id == target.id:
        raise InvalidFieldsError({"into": gettext("These are already the same thread.")})
    if source.site_id != target.site_id:
        raise InvalidFieldsError(
            {"into": gettext("Only threads of one site can be merged; move one of them first.")}
        )


def merge(
    session: Session, source: Thread, target: Thread, *, moderator_id: int | None, at: datetime
) -> Action:
    """Move all comments of `source` to `target` and make its key an alias. Needs `begin_write`.

    Each table is changed by one statement, however many comments there are. Raises InvalidFieldsError on `into`.
    """
    require_mergeable(source, target)
    for thread_id in sorted((source.id, target.id)):
        threads.lock(session, thread_id)
    session.refresh(source)
    session.refresh(target)
    facts = _facts(session, source, target)
    summary = f"Merged {name_of(source)} into {name_of(target)}."
    change_rows(session, update(Comment).where(Comment.id.in_(facts["pinned"])).values(pinned=False))
    change_rows(
        session,
        update(Comment)
        .where(Comment.id.in_([number for number, _ in facts["retries"]]))
        .values(idempotency_key=None),
    )
    _join_posts(session, source.id, target.id)
    change_rows(session, update(Comment).where(Comment.thread_id == source.id).values(thread_id=target.id))
    for table in (ThreadAlias, Pressure):
        change_rows(session, update(table).where(table.thread_id == source.id).values(thread_id=target.id))
    facts["subscriptions"] = subscriptions.follow_thread(session, source.id, target.id)
    session.add(
        ThreadAlias(
            site_id=source.site_id,
            key=source.key,
            match_key=match_key(source.key, source.site.ignored_parameters),
            thread_id=target.id,
            created_at=at,
        )
    )
    threads.invalidate_site(session, source.site_id)
    # The version identifies cached pages: take one that neither thread has had.
    target.version = max(source.version, target.version) + 1
    target.approved_count += source.approved_count
    target.imported = target.imported or source.imported
    if not target.title:
        target.title, target.title_source = source.title, source.title_source
    session.flush()
    session.expire_all()  # comments in the session must not keep the thread that is deleted next
    session.delete(session.get_one(Thread, facts["source"]["id"]))
    session.flush()
    return actions.record(
        session,
        site_id=target.site_id,
        moderator_id=moderator_id,
        kind=KIND,
        summary=summary,
        at=at,
        facts=facts,
    )


def _join_posts(session: Session, source_id: int, target_id: int) -> None:
    """Move what connects a thread with posts elsewhere; of what both have, the target keeps its own."""
    theirs = select(Comment.origin_key).where(Comment.thread_id == target_id, Comment.origin_key.is_not(None))
    is_double = and_(Comment.thread_id == source_id, Comment.origin_key.in_(theirs))
    change_rows(session, update(Comment).where(is_double).values(origin_key=None))
    connected = select(SocialLink.address).where(SocialLink.thread_id == target_id)
    change_rows(
        session,
        delete(SocialLink).where(SocialLink.thread_id == source_id, SocialLink.address.in_(connected)),
    )
    for table in (SocialLink, Webmention):
        change_rows(session, update(table).where(table.thread_id == source_id).values(thread_id=target_id))


def unmerge(session: Session, action: Action, *, at: datetime) -> Thread:
    """Undo a merge; return the restored thread. Needs `begin_write`; the caller commits.

    Later replies go with their conversation; later conversations stay in the merged thread. Raises InvalidFieldsError
    on `action` if a later change has to be undone first.
    """
    facts = action.facts
    was, target_id = facts["source"], facts["target"]["id"]
    threads.lock(session, target_id)
    session.refresh(action)
    alias = session.scalar(
        select(ThreadAlias).where(
            ThreadAlias.site_id == action.site_id,
            ThreadAlias.key == was["key"],
            ThreadAlias.thread_id == target_id,
        )
    )
    if action.undone_at is not None or alias is None:
        raise InvalidFieldsError(
            {
                "action": gettext(
                    "This cannot be undone now: it is already undone, or a later change must be undone first."
                )
            }
        )
    target = get(session, target_id)
    session.delete(alias)
    session.flush()
    source = _restored(session, action, target)
    change_rows(
        session,
        update(Comment).where(_among(session, Comment.id, facts["roots"])).values(thread_id=source.id),
    )
    change_rows(
        session,
        update(Comment).where(_among(session, Comment.root_id, facts["roots"])).values(thread_id=source.id),
    )
    for table, name in ((ThreadAlias, "aliases"), (Pressure, "pressures")):
        change_rows(session, update(table).where(table.id.in_(facts[name])).values(thread_id=source.id))
    moved = Subscription.id.in_(facts.get("subscriptions", []))
    change_rows(
        session,
        update(Subscription).where(moved & (Subscription.thread_id == target_id)).values(thread_id=source.id),
    )
    change_rows(session, update(Comment).where(Comment.id.in_(facts["pinned"])).values(pinned=True))
    for number, key in facts["retries"]:
        change_rows(session, update(Comment).where(Comment.id == number).values(idempotency_key=key))
    _recount(session, source, target)
    if target.title == was["title"] and not facts["target"]["title"]:
        target.title = target.title_source = None
    action.undone_at = at
    session.flush()
    session.expire_all()
    return get(session, source.id)


def _facts(session: Session, source: Thread, target: Thread) -> dict[str, Any]:
    """Return what undoing needs. Only the roots of comments: replies follow them, including later ones."""
    here = Comment.thread_id == source.id
    other = aliased(Comment)
    retries = (
        select(Comment.id, Comment.idempotency_key)
        .join(other, other.idempotency_key == Comment.idempotency_key)
        .where(here, other.thread_id == target.id)
    )
    times = {name: iso(getattr(source, name)) for name in ("created_at", "closed_at", "title_checked_at")}
    return {
        "source": {name: getattr(source, name) for name in _KEPT} | times,
        "target": {"id": target.id, "title": target.title},
        "roots": _ids(session, select(Comment.id).where(here, Comment.root_id.is_(None))),
        "pinned": _ids(session, select(Comment.id).where(here, Comment.pinned)),
        "retries": [[number, key] for number, key in session.execute(retries)],
        "aliases": _ids(session, select(ThreadAlias.id).where(ThreadAlias.thread_id == source.id)),
        "pressures": _ids(session, select(Pressure.id).where(Pressure.thread_id == source.id)),
    }


def _restored(session: Session, action: Action, target: Thread) -> Thread:
    was = action.facts["source"]
    thread = Thread(
        id=None if session.get(Thread, was["id"]) else was["id"],  # SQLite reuses the ids of deleted rows
        site_id=action.site_id,
        key=was["key"],
        match_key=match_key(was["key"], target.site.ignored_parameters),
        url=was["url"],
        title=was["title"],
        title_source=_source(was),
        title_tries=was.get("title_tries", 0),
        title_checked_at=_time(was.get("title_checked_at")),
        slow_seconds=was["slow_seconds"],
        imported=was.get(
            "imported", True
        ),  # older merges did not record it; links are then looked up in vain
        created_at=datetime.fromisoformat(was["created_at"]),
        closed_at=_time(was["closed_at"]),
        version=max(was["version"], target.version) + 1,
    )
    session.add(thread)
    session.flush()
    threads.invalidate_site(session, action.site_id)
    return thread


def _source(was: dict[str, Any]) -> TitleSource | None:
    """Return the source of a title; older merges did not record it."""
    return TitleSource(was.get("title_source") or TitleSource.BROWSER) if was["title"] else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _recount(session: Session, source: Thread, target: Thread) -> None:
    counted = session.scalar(
        select(func.count()).where(
            Comment.thread_id == source.id, Comment.status == Status.APPROVED, Comment.kind == Kind.COMMENT
        )
    )
    source.approved_count = counted or 0
    target.approved_count -= source.approved_count
    target.version += 1


def _ids(session: Session, query: Select[int]) -> list[int]:
    return sorted(session.scalars(query))


def _among(session: Session, column: Any, ids: Sequence[int]) -> ColumnElement[bool]:
    """Return a condition for very many ids: one array parameter, because a list would have too many parameters."""
    if session.get_bind().dialect.name == "sqlite":
        given = func.json_each(json.dumps(list(ids))).table_valued("value")
        return column.in_(select(given.c.value))  # type: ignore[no-any-return]
    return column == func.any(literal(list(ids), ARRAY(BigInteger)))  # type: ignore[no-any-return]
