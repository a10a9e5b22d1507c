"""Two databases to move between, with something in every table, and what they have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    DateTime,
    Engine,
    Enum,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    exists,
    insert,
    select,
    text,
)
from sqlalchemy.orm import Session

from commentsvc import create_app
from commentsvc.config import Settings
from commentsvc.db.session import UTCDateTime, begin_write, db
from commentsvc.domain.service_move import moving
from commentsvc.domain.service_move.moving import MoveReport, Side
from commentsvc.domain.service_move.tables import TABLES
from commentsvc.models import Comment
from tests.conftest import dispose
from tests.support import archives

AT = datetime(2026, 11, 1, 12, 30, 15, 123456, tzinfo=UTC)
Everything = dict[str, list[tuple[Any, ...]]]


@contextmanager
def engine_of(settings: Settings) -> Iterator[Engine]:
    """Yield the engine of a service with these settings."""
    app: Flask = create_app(settings)
    with app.app_context():
        yield db.engine
    dispose(app)


def fill(engine: Engine) -> None:
    """Write something into every table that moves."""
    with Session(engine) as session:
        archives.fill(session)
        begin_write(session)
        for table in TABLES:
            if not session.scalar(select(exists().select_from(table))):
                session.execute(insert(table).values(_row(session, table)))
        session.commit()


def move(source: Engine, target: Engine, progress: Callable[[str], object] = lambda _: None) -> MoveReport:
    """Move everything from one database to another."""
    return moving.move(Side(source, "here"), Side(target, "there"), progress)


def contents(engine: Engine) -> Everything:
    """Return all rows that move, read without the code that moves them."""
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in TABLES
        }


def found(engine: Engine, word: str) -> int:
    """Return how many comments the search index has for a word."""
    query = {
        "sqlite": "SELECT count(*) FROM comment_search WHERE comment_search MATCH :word",
        "postgresql": "SELECT count(*) FROM comment_search WHERE words @@ to_tsquery('simple', :word)",
    }
    with engine.connect() as connection:
        return connection.scalar(text(query[engine.dialect.name]), {"word": word}) or 0


def add_comment(engine: Engine, words: str = "One more", **values: Any) -> int:
    """Write a comment like the first one, with other values; return its number."""
    with Session(engine) as session:
        begin_write(session)
        first = session.execute(select(Comment.__table__).order_by(Comment.id).limit(1)).mappings().one()
        new = {
            **first,
            "parent_id": None,
            "root_id": None,
            "idempotency_key": None,
            "transfer_key": None,
            "receipt_hash": None,
            "source": words,
            "search_text": words,
            **values,
        }
        if "id" not in values:
            del new["id"]
        number: int = session.execute(
            insert(Comment.__table__).values(new).returning(Comment.id)
        ).scalar_one()  # type: ignore[arg-type]
        session.commit()
    return number


def _row(session: Session, table: Table) -> dict[str, Any]:
    """Return a row that the table accepts, with the numbers of rows that exist."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.foreign_keys:
            (key,) = column.foreign_keys
            row[column.name] = session.scalar(select(key.column).limit(1))
        elif column.primary_key and isinstance(column.type, Integer):
            row[column.name] = 1
        else:
            row[column.name] = _value(column.type)
    return row


def _value(kind: Any) -> Any:
    values: list[tuple[type[Any], Any]] = [
        (UTCDateTime, AT),
        (DateTime, AT),
        (Enum, next(iter(kind.enum_class)) if isinstance(kind, Enum) and kind.enum_class else None),
        (Date, AT.date()),
        (Boolean, True),
        (Integer, 7),
        (Float, 0.1),
        (JSON, {"ä": [1, None, True, "\0"]}),
        (LargeBinary, b"\x00\xff"),
        (String, "ä"),
    ]
    return next(value for each, value in values if isinstance(kind, each))
