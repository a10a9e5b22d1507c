"""The secret address of a person's feed of answers: made, renewed and removed by the person; stored as a hash."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from commentsvc.domain.accounts.token_hashes import hash_of_token
from commentsvc.models import AnswerFeed


def of_person(session: Session, commenter_id: int) -> AnswerFeed | None:
    """Return the person's feed; None if they have none."""
    return session.scalar(select(AnswerFeed).where(AnswerFeed.commenter_id == commenter_id))


def find(session: Session, token: str) -> AnswerFeed | None:
    """Return the feed that `token` opens; None if it opens none."""
    return session.scalar(select(AnswerFeed).where(AnswerFeed.token_hash == hash_of_token(session, token)))


def renew(session: Session, commenter_id: int, *, at: datetime) -> str:
    """Give a person a new address, which ends the former one; return its token. Needs `begin_write`."""
    token = secrets.token_urlsafe(32)
    remove(session, commenter_id)
    session.add(
        AnswerFeed(commenter_id=commenter_id, token_hash=hash_of_token(session, token), created_at=at)
    )
    session.flush()
    return token


def remove(session: Session, commenter_id: int) -> None:
    """End a person's feed. Needs `begin_write`."""
    session.execute(delete(AnswerFeed).where(AnswerFeed.commenter_id == commenter_id))
