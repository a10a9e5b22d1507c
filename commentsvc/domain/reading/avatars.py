"""Avatars: pictures re-encoded and stored by us, or initials; readers' browsers load none from third parties."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.models import Commenter, ForeignPicture, Picture


def store(session: Session, commenter_id: int, data: bytes, *, at: datetime) -> bool:
    """Store or replace a person's picture; return whether it changed. Needs `begin_write`."""
    picture = session.get(Picture, commenter_id)
    digest = hashlib.sha256(data).hexdigest()[:16]
    if picture is None:
        session.add(Picture(commenter_id=commenter_id, data=data, digest=digest, fetched_at=at))
        return True
    is_new = picture.digest != digest
    picture.data, picture.digest, picture.fetched_at = data, digest, at
    return is_new


def has_one(session: Session, commenter_id: int) -> bool:
    """Whether a picture of this person is stored, shown or not."""
    return session.scalar(select(Picture.digest).where(Picture.commenter_id == commenter_id)) is not None


def load(session: Session, commenter_id: int, digest: str) -> bytes | None:
    """Return a picture's bytes; None if it was replaced, hidden or deleted."""
    return session.scalar(
        select(Picture.data)
        .join(Commenter, Commenter.id == Picture.commenter_id)
        .where(Picture.commenter_id == commenter_id, Picture.digest == digest, Commenter.show_picture)
    )


def path(session: Session, commenter: Commenter) -> str | None:
    """Return the path of a person's picture; None if they have none or do not show it."""
    if not commenter.show_picture:
        return None
    digest = session.scalar(select(Picture.digest).where(Picture.commenter_id == commenter.id))
    return path_of(commenter.id, digest)


def path_of(commenter_id: int, digest: str | None) -> str | None:
    """Return the path of a picture with this digest."""
    return f"/picture/{commenter_id}/{digest}" if digest else None


def foreign_path(digest: str | None) -> str | None:
    """Return the path of our copy of a picture from elsewhere."""
    return f"/picture/elsewhere/{digest}" if digest else None


def load_foreign(session: Session, digest: str) -> bytes | None:
    """Return our copy of a picture from elsewhere; None if nobody uses it any more."""
    query = select(ForeignPicture.data).where(ForeignPicture.digest == digest)
    return session.scalar(query.limit(1))
