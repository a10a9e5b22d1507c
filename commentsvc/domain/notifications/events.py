"""Notes what endpoints are to be told, in the commit of the change itself.

A post notes nothing: the background work derives from its notice, or from the held comment, what endpoints are told.
Nothing here holds a word of a person: a request's body is written when it is sent.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, literal, null, or_, select
from sqlalchemy.orm import Session

from commentsvc.db.rows import insert_rows
from commentsvc.db.session import UTCDateTime, begin_write
from commentsvc.models import (
    BUILDS,
    CHATS,
    Comment,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Endpoint,
    Event,
    Kind,
    Notice,
    Status,
    now,
)

BUILD_AFTER = timedelta(minutes=10)
"""Between the first change and the build that shows it, with all others until then."""
NEW = timedelta(days=7)
"""Up to this age a comment is told as a new one; shorter than deliveries are remembered, so that it is told once."""
BATCH = 500
"""Deliveries in one transaction, during which nobody else can write on SQLite."""
BUILDING = (Event.PUBLISHED, Event.EDITED, Event.REMOVED)
"""The events after which a website is built again."""


def record(
    session: Session, event: Event, comment_ids: Collection[int], *, at: datetime | None = None
) -> None:
    """Note an event of comments, which may be of several sites. Needs `begin_write`."""
    if comment_ids:
        which = Comment.id.in_(comment_ids), Comment.kind == Kind.COMMENT
        insert_rows(session, Delivery, _of_comments(event, at or now()).where(*which))


def record_on_site(session: Session, event: Event, site_id: int, about_id: int, *, at: datetime) -> None:
    """Note an event of a thread or a surge, `about_id`. Needs `begin_write`."""
    values = _values(event, at, literal(site_id), literal(about_id), null())
    insert_rows(session, Delivery, select(*values).where(Endpoint.site_id == site_id, _wants(event)))


def record_notice(
    session: Session, comment: Comment, notice: Notice, *, was_held: bool, at: datetime
) -> None:
    """Note what endpoints hear of a new comment that is visible. Needs `begin_write`; called once for each notice.

    Whoever published a comment that `was_held` has noted that in the same commit.
    """
    if not _lock_endpoints(session, [comment.site_id]):
        return
    which = Comment.id == comment.id
    if comment.created_at > notice.created_at - NEW:
        insert_rows(
            session, Delivery, _of_comments(Event.CREATED, at).where(which, _is_new_to(Event.CREATED))
        )
    if not was_held:
        insert_rows(session, Delivery, _of_comments(Event.PUBLISHED, at).where(which))


def spread_held(session: Session, *, at: datetime) -> int:
    """Note held comments for the endpoints that have not been told; return how many were missing. Commits."""
    wants = or_(_wants(Event.CREATED), _wants(Event.HELD))
    sites = session.scalars(select(Endpoint.site_id).where(wants).distinct()).all()
    missing = sum(len(session.execute(_held(event, sites, at)).all()) for event in _OF_HELD) if sites else 0
    session.rollback()
    if missing:
        begin_write(session)
        _lock_endpoints(session, sites)
        for event in _OF_HELD:
            insert_rows(session, Delivery, _held(event, sites, at))
        session.commit()
    return missing


_OF_HELD = (Event.CREATED, Event.HELD)


def _held(event: Event, sites: Collection[int], at: datetime) -> Select[Any]:
    which = (
        Comment.site_id.in_(sites),
        Comment.status == Status.HELD,
        Comment.kind == Kind.COMMENT,
        Comment.transfer_key.is_(None),
        Comment.created_at > at - NEW,
        Comment.created_at >= Endpoint.created_at,
        _is_new_to(event),
    )
    return _of_comments(event, at).where(*which).limit(BATCH)


def _lock_endpoints(session: Session, sites: Collection[int]) -> bool:
    """Keep other processes from noting the same; return whether the sites have endpoints."""
    mine = select(Endpoint.id).where(Endpoint.site_id.in_(sites)).order_by(Endpoint.id)
    return bool(session.scalars(mine.with_for_update(key_share=True)).all())


def _is_new_to(event: Event) -> ColumnElement[bool]:
    """Select the endpoints that have not been told of the comment."""
    return ~exists().where(
        Delivery.comment_id == Comment.id, Delivery.endpoint_id == Endpoint.id, Delivery.event == event
    )


def _of_comments(event: Event, at: datetime) -> Select[Any]:
    # The row of a comment that is erased may be deleted before the endpoint has heard of it.
    row = null() if event is Event.REMOVED else Comment.id
    values = _values(event, at, Comment.site_id, Comment.id, row)
    joined = select(*values).select_from(Comment).join(Endpoint, Endpoint.site_id == Comment.site_id)
    return joined.where(_wants(event))


def _values(event: Event, at: datetime, site_id: Any, about_id: Any, comment_id: Any) -> list[Any]:
    kind = case(
        (Endpoint.kind.in_(CHATS), DeliveryKind.CHAT.value),
        (Endpoint.kind.in_(BUILDS), DeliveryKind.BUILD.value),
        else_=DeliveryKind.WEBHOOK.value,
    )
    time = literal(at, UTCDateTime())
    due = case((Endpoint.kind.in_(BUILDS), literal(at + BUILD_AFTER, UTCDateTime())), else_=time)
    return [
        site_id.label("site_id"),
        kind.label("kind"),
        Endpoint.id.label("endpoint_id"),
        literal(event.value).label("event"),
        about_id.label("about_id"),
        comment_id.label("comment_id"),
        literal(DeliveryState.WAITING.value).label("state"),
        literal(0).label("attempts"),
        due.label("next_attempt_at"),
        time.label("created_at"),
    ]


def _wants(event: Event) -> ColumnElement[bool]:
    """Select the endpoints that are to be told; a build that is due anyway shows this change too."""
    is_due = exists().where(
        Delivery.endpoint_id == Endpoint.id,
        Delivery.state == DeliveryState.WAITING,
        Delivery.attempts == 0,
        Delivery.kind == DeliveryKind.BUILD,
    )
    wants = and_(Endpoint.off_at.is_(None), Endpoint.events.contains(f" {event.value} "))
    return and_(wants, ~and_(Endpoint.kind.in_(BUILDS), is_due)) if event in BUILDING else wants
