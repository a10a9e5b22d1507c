"""docs/archive.md lists what an archive has, as the code does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import JSON, Enum, LargeBinary

from commentsvc.db.session import UTCDateTime
from commentsvc.domain.archive.parts import LEFT_OUT, PARTS, SCHEMA, ArchivePart
from tests.support.documents import ROOT

PAGE = (ROOT / "docs" / "archive.md").read_text()


def type_of(column: Any) -> str:
    """Return a column's type as the document names it."""
    kind = column.type
    names = {UTCDateTime: "time", LargeBinary: "Base64", JSON: "JSON"}
    name = next((word for each, word in names.items() if isinstance(kind, each)), None)
    if isinstance(kind, Enum):
        name = " \\| ".join(f"`{choice}`" for choice in kind.enums)
    elif name is None:
        name = {str: "text", int: "number", float: "number", bool: "true or false"}[kind.python_type]
    refers = "".join(f", in `{key.column.table.name}`" for key in column.foreign_keys)
    return f"{name}{refers}{' or null' if column.nullable else ''}"


def rows(part: ArchivePart) -> Iterator[str]:
    """Yield the lines of a part's table."""
    yield f"### {part.file}"
    for name in part.columns:
        yield f"| `{name}` | {type_of(part.table.c[name])} |"
    for name, reason in part.omitted.items():
        yield f"| ~~`{name}`~~ | left out: {reason} |"


def test_the_schema_is_that_of_the_code() -> None:
    lines = PAGE.splitlines()
    assert f"The schema has version {SCHEMA}." in lines
    expected = [line for part in PARTS for line in rows(part)]
    listed = [line for line in lines if line.startswith(("### ", "| `", "| ~~"))]
    assert listed == expected + [f"| `{table}` | {reason} |" for table, reason in LEFT_OUT.items()]
    for name in (name for part in PARTS for name in part.more):
        assert any(line.startswith(f"| *`{name}`* |") for line in lines), name
