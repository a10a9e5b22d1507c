"""The key of hashes that must last: of bans, browsers, networks and reporters.

The database stores it, so that it is part of every backup and the same for all processes. The secret key signs
only short-lived values; changing it neither forgets readers nor lifts bans.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.models.keys import HASH_KEY

SIZE = 32
"""Bytes of a new key."""
_ROW = 1


def load(engine: Engine) -> bytes:
    """Return the database's key; create it if there is none. Processes that start together get the same one."""
    try:
        with Session(engine) as session:
            return bytes.fromhex(_stored(session) or _made(session))
    except DBAPIError as error:
        error.hide_parameters = True  # the key must not reach a log
        raise


def read(session: Session) -> bytes:
    """Return the key of a database in which one was made, within the session's transaction."""
    return bytes.fromhex(_stored(session) or "")


def load_within(session: Session) -> bytes:
    """Return the database's key within a transaction that writes; create it if there is none."""
    value = _stored(session)
    if value is None:
        value = secrets.token_hex(SIZE)
        session.execute(insert(HASH_KEY).values(id=_ROW, value=value))
    return bytes.fromhex(value)


def adopt(session: Session, key: bytes) -> None:
    """Give an empty database the key of another one, whose hashes it will have. Needs `begin_write`."""
    load_within(session)
    session.execute(update(HASH_KEY).where(HASH_KEY.c.id == _ROW).values(value=key.hex()))


def _made(session: Session) -> str:
    begin_write(session)
    value = secrets.token_hex(SIZE)
    try:
        session.execute(insert(HASH_KEY).values(id=_ROW, value=value))
        session.commit()
    except IntegrityError:  # another process was faster
        session.rollback()
        return _stored(session) or ""
    return value


def _stored(session: Session) -> str | None:
    return session.scalar(select(HASH_KEY.c.value).where(HASH_KEY.c.id == _ROW))
