"""Deletes what is left of answers from elsewhere: articles that nobody opens, webmentions, pictures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from commentsvc.db.rows import change_rows
from commentsvc.db.session import begin_write
from commentsvc.domain.social.article_looks import KEPT
from commentsvc.models import ArticleLook, Comment, ForeignPicture, MentionState, Webmention

BATCH = 500
REFUSED_KEPT = timedelta(days=30)
"""How long a webmention is kept that shows nothing."""
PICTURES_KEPT = timedelta(days=2)
"""How long a picture is kept, at least: its comment may just be waiting for it."""


def delete_looks(session: Session, *, at: datetime) -> int:
    """Forget a limited number of articles that were last looked at long ago; return how many. Commits."""
    old = ArticleLook.read_at < at - KEPT
    session.rollback()
    hashes = session.scalars(select(ArticleLook.key_hash).where(old).limit(BATCH)).all()
    return _delete(session, ArticleLook, ArticleLook.key_hash.in_(hashes) & old, len(hashes))


def delete_refused(session: Session, *, at: datetime) -> int:
    """Delete webmentions that show nothing. Commits."""
    old = Webmention.state.in_((MentionState.REFUSED, MentionState.GONE)) & Webmention.due_at.is_(None)
    old &= Webmention.received_at < at - REFUSED_KEPT
    session.rollback()
    ids = session.scalars(select(Webmention.id).where(old).limit(BATCH)).all()
    return _delete(session, Webmention, Webmention.id.in_(ids) & old, len(ids))


def delete_pictures(session: Session, *, at: datetime) -> int:
    """Delete pictures of people whose comments are gone. Commits."""
    used = select(Comment.id).where(Comment.origin_picture_digest == ForeignPicture.digest).exists()
    unused = ~used & (ForeignPicture.fetched_at < at - PICTURES_KEPT)
    session.rollback()
    hashes = session.scalars(select(ForeignPicture.address_hash).where(unused).limit(BATCH)).all()
    return _delete(session, ForeignPicture, ForeignPicture.address_hash.in_(hashes) & unused, len(hashes))


def _delete(session: Session, table: type, which: ColumnElement[bool], number: int) -> int:
    if number:
        begin_write(session)
        change_rows(session, delete(table).where(which))
        session.commit()
    return number


TASKS: tuple[Callable[..., int], ...] = (delete_looks, delete_refused, delete_pictures)
"""Each deletes a limited number of rows."""
