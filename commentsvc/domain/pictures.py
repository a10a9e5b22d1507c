"""Pictures of people: kept re-encoded by us, or drawn as initials; never fetched from a third party by readers."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.models import Commenter, Picture


def keep(session: Session, commenter_id: int, data: bytes, *, at: datetime) -> None:
    """Store a person's picture in place of an earlier one. Needs `begin_write`."""
    found = session.get(Picture, commenter_id)
    if found is None:
        found = Picture(commenter_id=commenter_id)
        session.add(found)
    found.data, found.digest, found.fetched_at = data, hashlib.sha256(data).hexdigest()[:16], at


def find(session: Session, commenter_id: int, digest: str) -> bytes | None:
    """Return a picture's bytes; None where it is another one by now, hidden, or gone."""
    return session.scalar(
        select(Picture.data)
        .join(Commenter, Commenter.id == Picture.commenter_id)
        .where(Picture.commenter_id == commenter_id, Picture.digest == digest, Commenter.show_picture)
    )


def path(session: Session, commenter: Commenter) -> str | None:
    """Return the path under which a person's picture is served; None where they have or show none."""
    if not commenter.show_picture:
        return None
    digest = session.scalar(select(Picture.digest).where(Picture.commenter_id == commenter.id))
    return path_of(commenter.id, digest)


def path_of(commenter_id: int, digest: str | None) -> str | None:
    """Return the path of a picture known by its digest."""
    return f"/picture/{commenter_id}/{digest}" if digest else None
