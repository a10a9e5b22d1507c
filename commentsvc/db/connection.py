"""The connection of a session's transaction, at hand for each of its statements.

SQLAlchemy looks for it anew each time, which takes as long as SQLite does to answer a short question.
"""

from __future__ import annotations

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, SessionTransaction

_AT_HAND = "commentsvc_connection"


def connection_of(session: Session) -> Connection:
    """Return what `session.connection()` does, and raise what it raises."""
    connection = cached(session)
    if connection is None:
        connection = session.info[_AT_HAND] = session.connection()
    return connection


def cached(session: Session) -> Connection | None:
    """Return the connection that `of` returned last in this transaction; None before it did, or since a savepoint."""
    result: Connection | None = session.info.get(_AT_HAND)
    return result


# Of every transaction: a savepoint is made with the first question for a connection after it was begun, and a flush
# that fails ends one of its own before it leaves the session with none that works.
@event.listens_for(Session, "after_transaction_create")
@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, _transaction: SessionTransaction) -> None:
    session.info.pop(_AT_HAND, None)
