"""The statements of a new comment and of a page of comments: compiled once, then given to the driver as they are.

SQLAlchemy's own way to run a statement takes ten times as long as SQLite does to answer it. What it says is the same
here, as are the types that go in and come out, the errors, and what listeners to statements hear.
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
    """A statement of SQLAlchemy's Core. Its values are named by its `bindparam`s; nothing in it may expand."""

    def __init__(self, statement: _Statement) -> None:
        self._statement = statement
        self._compiled: tuple[Dialect | None, _Compiled | None] = (None, None)

    def rows(self, session: Session, **values: Any) -> list[Row]:
        """Run it in the session's transaction, and return all that it found."""
        connection = session.connection()
        dialect, compiled = self._compiled
        if compiled is None or dialect is not connection.dialect:  # a process has one, tests have more
            compiled = _Compiled(self._statement, connection.dialect)
            self._compiled = (connection.dialect, compiled)
        return compiled.run(connection, values)

    def row(self, session: Session, **values: Any) -> Row | None:
        """Run it, and return the first row; None where there is none."""
        result = self.rows(session, **values)
        return result[0] if result else None


class _Compiled:
    """A statement in one dialect's words."""

    def __init__(self, statement: _Statement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise TypeError(f"this statement is another each time: {statement}")
        self._text: str = compiled.string
        self._positional: bool = compiled.positional
        self._names = compiled.positiontup if compiled.positional else list(compiled.binds)
        self._template: list[Any] = []
        """A value for each name; those are yet to come that are listed beside."""
        self._given: list[tuple[int, str, _Processor | None]] = []
        for at, name in enumerate(self._names):
            bound = compiled.binds[name]
            processor = bound.type.dialect_impl(dialect).bind_processor(dialect)
            if bound.required:
                self._given.append((at, name, processor))
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
        for at, name, processor in self._given:
            value = values[name]
            given[at] = value if processor is None else processor(value)
        sent: Any = tuple(given) if self._positional else dict(zip(self._names, given, strict=True))
        cursor = connection.connection.cursor()
        try:
            result = self._execute(connection, cursor, sent)
        except connection.dialect.loaded_dbapi.Error as error:
            raise self._translated(connection, cursor, sent, error) from error
        finally:
            cursor.close()
        return [self._typed(row) for row in result] if self._read else result

    def _execute(self, connection: Connection, cursor: Any, given: Any) -> list[Row]:
        text = self._text
        for listener in connection.dispatch.before_cursor_execute:
            text, given = listener(connection, cursor, text, given, None, False)
        cursor.execute(text, given)
        if not self._types:
            return []
        if self._read is None:  # some depend on the type that the driver says a column has
            self._read = [
                (at, processor)
                for at, (kind, column) in enumerate(zip(self._types, cursor.description, strict=True))
                if (processor := kind.result_processor(self._dialect, column[1])) is not None
            ]
        result: list[Row] = cursor.fetchall()
        return result

    def _typed(self, row: Row) -> Row:
        values = list(row)
        for at, processor in self._read or ():
            values[at] = processor(values[at])
        return tuple(values)

    def _translated(self, connection: Connection, cursor: Any, given: Any, error: Exception) -> BaseException:
        """Return the error as SQLAlchemy raises it; a connection that is lost is not used again."""
        dialect = connection.dialect
        lost = dialect.is_disconnect(error, connection.connection.driver_connection, cursor)  # type: ignore[arg-type]
        if lost:
            connection.invalidate(error)
        return DBAPIError.instance(
            self._text, given, error, dialect.loaded_dbapi.Error, connection_invalidated=lost, dialect=dialect
        )
