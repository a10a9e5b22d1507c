"""The key of the hashes that must last: of bans, browsers, networks and reporters.

It lies in the database, so that it is part of every backup and the same for all processes. The secret key signs
what may end at any time, and can be changed without anybody being forgotten or let in again.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Engine, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.models.keys import HASH_KEY

SIZE = 32
"""Bytes of a new key."""
_ROW = 1


def load(engine: Engine) -> bytes:
    """Return the database's key; make it where there is none yet, the same for all who ask at that moment."""
    try:
        with Session(engine) as session:
            return bytes.fromhex(_stored(session) or _made(session))
    except DBAPIError as error:
        error.hide_parameters = True  # what was sent is not for any log
        raise


def _made(session: Session) -> str:
    begin_write(session)
    value = secrets.token_hex(SIZE)
    try:
        session.execute(insert(HASH_KEY).values(id=_ROW, value=value))
        session.commit()
    except IntegrityError:  # another process was quicker
        session.rollback()
        return _stored(session) or ""
    return value


def _stored(session: Session) -> str | None:
    return session.scalar(select(HASH_KEY.c.value).where(HASH_KEY.c.id == _ROW))
