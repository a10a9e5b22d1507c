"""Copies the pictures of people who wrote elsewhere: readers' browsers request nothing from there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.db.session import begin_write
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, ForeignPicture

BATCH = 10
"""Pictures per round."""
NOTHING = ""
"""The digest of an address without a usable picture, so that it is not requested again."""

ReadPicture = Callable[[str], bytes | None]
"""Requests a picture and returns it small and re-encoded; None if there is none."""


def fetch_wanted(
    session: Session, read: ReadPicture, *, at: datetime, stopped: Callable[[], bool] = lambda: False
) -> int:
    """Copy the pictures of comments that readers see, at most `BATCH`; return how many were requested. Commits."""
    asked = 0
    for _ in range(BATCH):
        address = session.scalar(
            select(Comment.origin_picture)
            .where(text("origin_picture IS NOT NULL AND origin_picture_digest IS NULL"), Comment.shown)
            .limit(1)
        )
        session.rollback()
        if address is None or stopped():
            break
        known = session.get(ForeignPicture, hash_of(address))
        digest = known.digest if known else None
        session.rollback()
        if digest is None:
            data = read(address)
            digest = hashlib.sha256(data).hexdigest()[:16] if data else NOTHING
            asked += 1
            _store(session, address, data, digest, at)
        _show(session, address, digest)
    return asked


def hash_of(address: str) -> str:
    """Return what identifies a picture's address."""
    return hashlib.sha256(address.encode()).hexdigest()


def _store(session: Session, address: str, data: bytes | None, digest: str, at: datetime) -> None:
    begin_write(session)
    session.merge(ForeignPicture(address_hash=hash_of(address), digest=digest, data=data, fetched_at=at))
    session.commit()


def _show(session: Session, address: str, digest: str) -> None:
    """Give a picture to every comment whose author has this address for it."""
    begin_write(session)
    theirs = (Comment.origin_picture == address, Comment.origin_picture_digest.is_(None))
    ids = session.scalars(select(Comment.thread_id).where(*theirs).distinct()).all()
    threads.lock_all(session, ids)
    change = update(Comment).where(*theirs).values(origin_picture_digest=digest)
    change_rows(session, change)
    for thread_id in ids if digest else ():
        threads.mark_changed(session, thread_id)
    session.commit()
