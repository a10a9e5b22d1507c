"""Takes what was deleted out of the database's files: its search index, its write-ahead log and its free space."""

from __future__ import annotations

import logging
import sqlite3
import time

from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from commentsvc.db import sqlite
from commentsvc.db.session import Base, connect_unlimited
from commentsvc.integrations import full_text

LOG_WITHIN = 3.0
"""Seconds to wait for readers who need the write-ahead log; after that the background thread of `serve` empties it."""
_ATTEMPT_MS = 200
"""One attempt; while it lasts, nobody can write."""
_SEARCHED = ("comment_search", "commenter_search", "thread_search")
"""The tables of the search index, which are no models."""

log = logging.getLogger(__name__)


def purge(session: Session) -> None:
    """Remove what was deleted so far. It ends the session's transaction, and commits by itself.

    An error is logged: what was deleted is gone for everybody who uses the database, though not from its files.
    """
    session.rollback()
    engine = session.get_bind().engine
    try:
        if engine.dialect.name == "sqlite":
            full_text.forget_deleted(engine)
            if not empty_log(engine, within=LOG_WITHIN):
                log.warning("deleted data is in the write-ahead log until nobody reads from it")
        else:
            _vacuum(engine)
    except (SQLAlchemyError, sqlite3.Error):
        log.exception("deleted data could not be removed from the database's files")


def empty_log(engine: Engine, *, within: float) -> bool:
    """Move SQLite's write-ahead log into the database and truncate it; return whether it is empty.

    No reader may be using it, so this tries for `within` seconds.
    """
    until = time.monotonic() + within
    while not _log_is_emptied(engine):
        if time.monotonic() > until:
            return False
        time.sleep(0.5)
    return True


def _log_is_emptied(engine: Engine) -> bool:
    connection = engine.raw_connection()  # outside of any transaction
    try:
        return sqlite.empty_log(connection.driver_connection, patience_ms=_ATTEMPT_MS)
    finally:
        connection.close()


def _vacuum(engine: Engine) -> None:
    """Free the space of deleted rows on PostgreSQL, which then overwrites it; its own log has them for a while.

    It is done for every table, because a list of those that hold something of a person would miss the next one.
    """
    tables = ", ".join((*Base.metadata.tables, *_SEARCHED))
    with connect_unlimited(engine) as connection:
        # Without TRUNCATE, which would wait for the readers of each table.
        connection.execute(text(f"VACUUM (TRUNCATE false) {tables}"))
