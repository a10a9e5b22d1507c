"""Answers to requests with an Idempotency-Key: a request that is sent again changes nothing and is answered again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from commentsvc.errors import KeyReusedError
from commentsvc.models import ApiAnswer

KEPT = timedelta(hours=24)


def claim(session: Session, token_id: int, *, key_hash: str, request_hash: str, at: datetime) -> ApiAnswer:
    """Return the row of a key: with a `status` other than 0 it is answered already, else the caller fills it in.

    The row is part of the caller's transaction, so an answer is stored if and only if the change is. A second request
    with the key waits here for the first. Needs `begin_write`; raises KeyReusedError if the key came with another
    request.
    """
    row = ApiAnswer(
        token_id=token_id, key_hash=key_hash, request_hash=request_hash, status=0, body={}, created_at=at
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        same = (ApiAnswer.token_id == token_id, ApiAnswer.key_hash == key_hash)
        row = session.scalars(select(ApiAnswer).where(*same)).one()
    if row.request_hash != request_hash:
        raise KeyReusedError
    return row
