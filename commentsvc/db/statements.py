"""Precompiled statements, used to store a comment and to read a page of comments.

SQLAlchemy needs ten times as long to run a statement as SQLite needs to answer it. This passes the compiled text
straight to the driver, with the same conversion of types, the same errors and the same `before_cursor_execute` events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Row = tuple[Any, ...]
_Statement = Select[*tuple[Any, ...]] | CompoundSelect[Any] | Insert | Update | Delete
_Processor = Callable[[Any], Any]


class Prepared:
    """A SQLAlchemy Core statement; `bindparam`s name its values, and none of them may be `expanding`."""

    def __init__(self, statement: _Statement) -> None:
        self._statement = statement
        self._compiled: tuple[Dialect | None, _Compiled | None] = (None, None)

    def rows(self, session: Session, **values: Any) -> list[Row]:
        """Run it in the session's transaction and return all rows."""
        connection = session.connection()
        dialect, compiled = self._compiled
        if compiled is None or dialect is not connection.dialect:  # a process has one, tests have more
            compiled = _Compiled(self._statement, connection.dialect)
            self._compiled = (connection.dialect, compiled)
        return compiled.run(connection, values)

    def row(self, session: Session, **values: Any) -> Row | None:
        """Run it and return the first row, or None."""
        rows = self.rows(session, **values)
        return rows[0] if rows else None


class _Compiled:
    """A statement compiled for one dialect."""

    def __init__(self, statement: _Statement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise TypeError(f"the text of this statement depends on its values: {statement}")
        self._text: str = compiled.string
        self._positional: bool = compiled.positional
        self._names = compiled.positiontup if compiled.positional else list(compiled.binds)
        self._template: list[Any] = []
        """A value for each name; None for those in `_given`, which come with each call."""
        self._given: list[tuple[int, str, _Processor | None]] = []
        for index, name in enumerate(self._names):
            bound = compiled.binds[name]
            processor = bound.type.dialect_impl(dialect).bind_processor(dialect)
            if bound.required:
                self._given.append((index, name, processor))
                self._template.append(None)
            else:
                self._template.append(
                    processor(bound.effective_value) if processor else bound.effective_value
                )
        self._dialect = dialect
        self._types = [column.type.dialect_impl(dialect) for column in statement.exported_columns]
        self._read: list[tuple[int, _Processor]] | None = None

    def run(self, connection: Connection, values: dict[str, Any]) -> list[Row]:
        given = self._template.copy()
        for index, name, processor in self._given:
            value = values[name]
            given[index] = value if processor is None else processor(value)
        sent: Any = tuple(given) if self._positional else dict(zip(self._names, given, strict=True))
        cursor = connection.connection.cursor()
        try:
            rows = self._execute(connection, cursor, sent)
        except connection.dialect.loaded_dbapi.Error as error:
            raise self._translated(connection, cursor, sent, error) from error
        finally:
            cursor.close()
        return [self._typed(row) for row in rows] if self._read else rows

    def _execute(self, connection: Connection, cursor: Any, given: Any) -> list[Row]:
        text = self._text
        for listener in connection.dispatch.before_cursor_execute:
            text, given = listener(connection, cursor, text, given, None, False)
        cursor.execute(text, given)
        if not self._types:
            return []
        if self._read is None:  # some processors depend on the column type that the driver reports
            self._read = [
                (index, processor)
                for index, (kind, column) in enumerate(zip(self._types, cursor.description, strict=True))
                if (processor := kind.result_processor(self._dialect, column[1])) is not None
            ]
        rows: list[Row] = cursor.fetchall()
        return rows

    def _typed(self, row: Row) -> Row:
        values = list(row)
        for index, processor in self._read or ():
            values[index] = processor(values[index])
        return tuple(values)

    def _translated(self, connection: Connection, cursor: Any, given: Any, error: Exception) -> BaseException:
        """Return the error as SQLAlchemy would raise it; invalidates a lost connection."""
        dialect = connection.dialect
        lost = dialect.is_disconnect(error, connection.connection.driver_connection, cursor)  # type: ignore[arg-type]
        if lost:
            connection.invalidate(error)
        return DBAPIError.instance(
            self._text,
            given,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=connection.engine.hide_parameters,
            connection_invalidated=lost,
            dialect=dialect,
        )
