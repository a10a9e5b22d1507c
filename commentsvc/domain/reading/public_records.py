"""Comments as JSON records: only what every reader sees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from commentsvc.domain.reading import old_anchors
from commentsvc.domain.reading.conversations import CommentView


def comment(view: CommentView, *, url: str) -> dict[str, Any]:
    """Return a comment on the article at `url`; of a removed one, that it is removed and its place."""
    place = {"id": str(view.id), "parent": str(view.parent_id) if view.parent_id else None}
    if view.placeholder:
        return {**place, "removed": True}
    return {
        **place,
        "kind": view.kind.value,
        "url": f"{url.partition('#')[0]}{old_anchors.own(view.id)}",
        "name": view.name,
        "website": view.website,
        "role": view.role.value if view.role else None,
        "html": str(view.html),
        "created_at": time(view.created_at),
        "edited_at": time(view.edited_at) if view.edited_at else None,
        "pinned": view.pinned,
        "featured": view.featured,
        "origin": view.origin.value if view.origin else None,
        "origin_url": view.origin_url,
        "content_warning": view.warning,
    }


def time(at: datetime) -> str:
    """Return a time in UTC, such as 2026-11-23T14:05:00Z."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
