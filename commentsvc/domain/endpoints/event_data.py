"""The bodies of webhooks, written when they are sent: nothing that was erased meanwhile is in them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from commentsvc.domain.subscriptions.links import MailLinks
from commentsvc.models import Comment, Delivery, Event, Pressure, Site, Status, Thread

LARGEST = 20_000
"""Bytes of a body."""
_LISTED = frozenset({Status.APPROVED, Status.HELD})
_STILL = {
    Event.CREATED: _LISTED,
    Event.HELD: frozenset({Status.HELD}),
    Event.PUBLISHED: frozenset({Status.APPROVED}),
    Event.EDITED: frozenset({Status.APPROVED}),
    Event.REPORTED: _LISTED,
}
"""The statuses with which an event of a comment is still true."""


def body(session: Session, row: Delivery, site: Site, links: MailLinks) -> bytes | None:
    """Return the JSON of a webhook; None if its event is no longer true."""
    data = _data(session, row, links)
    if data is None or row.event is None:
        return None
    envelope: dict[str, Any] = {
        "type": row.event.value,
        "timestamp": _time(row.created_at),
        "data": {"site": {"id": site.id, "name": site.name}, **data},
    }
    text = _json(envelope)
    if len(text) > LARGEST:
        envelope["data"]["comment"] |= {"html": None, "html_omitted": True}
        text = _json(envelope)
    return text


def true_comment(session: Session, row: Delivery) -> Comment | None:
    """Return the comment of an event; None if it is gone or the event is no longer true of it."""
    comment = session.get(Comment, row.comment_id, populate_existing=True) if row.comment_id else None
    if comment is None or row.event is None or comment.erased_at is not None:
        return None
    return comment if comment.status in _STILL[row.event] else None


def _data(session: Session, row: Delivery, links: MailLinks) -> dict[str, Any] | None:
    if row.event is Event.TEST:
        return {"message": "An owner of the site asked for this test."}
    if row.event is Event.REMOVED:
        return _removed(session, row)
    if row.event is Event.CLOSED:
        thread = session.get(Thread, row.about_id)
        return {"thread": _thread(thread)} if thread else None
    if row.event in (Event.SURGE_BEGAN, Event.SURGE_ENDED):
        return _surge(session, row)
    comment = true_comment(session, row)
    if comment is None:
        return None
    return {"thread": _thread(comment.thread), "comment": _comment(comment, links)}


def _removed(session: Session, row: Delivery) -> dict[str, Any] | None:
    comment = session.get(Comment, row.about_id, populate_existing=True)
    if comment is None or comment.site_id != row.site_id:
        return {"thread": None, "comment": {"id": str(row.about_id), "is_erased": True}}
    if comment.status is Status.APPROVED:
        return None
    about = {"id": str(comment.id), "is_erased": comment.erased_at is not None}
    return {"thread": _thread(comment.thread), "comment": about}


def _surge(session: Session, row: Delivery) -> dict[str, Any] | None:
    surge = session.get(Pressure, row.about_id)
    if surge is None:
        return None
    thread = session.get(Thread, surge.thread_id) if surge.thread_id else None
    about = {"id": str(surge.id), "began_at": _time(surge.began_at), "ended_at": _time(surge.ended_at)}
    return {"thread": _thread(thread) if thread else None, "surge": about}


def _thread(thread: Thread) -> dict[str, Any]:
    return {"id": str(thread.id), "url": thread.url, "title": thread.title}


def _comment(comment: Comment, links: MailLinks) -> dict[str, Any]:
    """Return what readers see of a comment, and no more: neither an address nor anything of the network."""
    return {
        "id": str(comment.id),
        "url": links.comment(comment.id),
        "status": comment.status.value,
        "parent_id": str(comment.parent_id) if comment.parent_id else None,
        "author": {"name": author_name(comment), "role": comment.role.value if comment.role else None},
        "html": comment.html,
        "reports": comment.reports,
        "created_at": _time(comment.created_at),
        "edited_at": _time(comment.edited_at),
    }


def author_name(comment: Comment) -> str | None:
    """Return the name that readers see; None for somebody without a name."""
    return comment.commenter.name if comment.commenter else comment.guest_name


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z") if at else None


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
