"""Changes and inserts rows by one statement, and takes the first row of those that wait for work."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from sqlalchemy import CursorResult, Delete, Select, Table, Update, insert, select
from sqlalchemy.orm import Session

from commentsvc.db.session import Base, begin_write

Row = TypeVar("Row")


def change_rows(session: Session, statement: Update | Delete) -> int:
    """Run a statement that changes or deletes rows, and return how many. Needs `begin_write`.

    Objects in the session keep their old values: finding those that the statement changes takes time, and few callers
    read them afterwards.
    """
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", result).rowcount


def insert_rows(session: Session, model: type[Base], rows: Select[Any]) -> None:
    """Insert what a query selects. Needs `begin_write`.

    The query's columns are labelled with the names of the table's columns. Those that it leaves out stay empty.
    """
    table, names = cast("Table", model.__table__), rows.selected_columns.keys()
    session.execute(insert(table).from_select(names, rows, include_defaults=False))


def take_first(session: Session, query: Select[Row]) -> Row | None:
    """Begin a transaction that writes, and return the first object that a query selects, under its lock.

    Objects that another process has locked are left out. If there is none, this returns None, and no transaction is
    open. It first asks without a lock: mostly nothing waits, and on SQLite a writer keeps all others waiting.
    """
    is_any = session.scalar(select(query.order_by(None).exists()))
    session.rollback()
    if not is_any:
        return None
    begin_write(session)
    locked = query.limit(1).with_for_update(skip_locked=True).execution_options(populate_existing=True)
    row = session.scalars(locked).first()
    if row is None:
        session.rollback()
    return row
