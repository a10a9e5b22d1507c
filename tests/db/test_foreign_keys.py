"""What a deleted row takes along is found through an index, or deleting one would read a whole table."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint

from commentsvc.db.session import Base


def leads(table: Table, column: Column[object], engine: str) -> bool:
    """Whether something by which the rows are found begins with this column, and leaves out none that has a value."""
    for constraint in table.constraints:
        if (
            isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint)
            and next(iter(constraint.columns)) is column
        ):
            return True
    return any(_first(index) is column and _is_whole(index, column, engine) for index in table.indexes)


def _first(index: Index) -> object:
    return next(iter(index.columns))


def _is_whole(index: Index, column: Column[object], engine: str) -> bool:
    condition = index.info.get(engine)
    return condition is None or condition == f"{column.name} IS NOT NULL"


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_every_reference_is_found_from_its_other_end(engine: str) -> None:
    references = [(table, key.parent) for table in Base.metadata.sorted_tables for key in table.foreign_keys]
    assert len(references) > 20
    assert [
        f"{table}.{column.name}" for table, column in references if not leads(table, column, engine)
    ] == []
