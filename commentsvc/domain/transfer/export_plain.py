"""Writes a site's comments as JSON or CSV with the fields of docs/moving.md, which `plain_records` reads."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from commentsvc import match_keys
from commentsvc.domain.archive import records
from commentsvc.domain.transfer import exported_comments
from commentsvc.domain.transfer.exported_comments import ExportedComment
from commentsvc.models import Kind, Site

FIELDS = (
    *("url", "thread", "title", "id", "parent", "name", "email", "website", "date", "edited"),
    *("kind", "status", "role", "pinned", "format", "text"),
)
NOT_WHOLE = b"This file is not whole: the database failed while it was written. Please export again.\r\n"
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""How a cell begins that a spreadsheet would run as a formula, unless an apostrophe stands before it."""


def json_pieces(session: Session, site: Site) -> Iterator[bytes]:
    """Yield a JSON array with an object for each comment, each on a line of its own."""
    mark = "[\n"
    for record in _records(session, site):
        yield (mark + json.dumps(record, ensure_ascii=False)).encode()
        mark = ",\n"
    yield (("" if mark != "[\n" else mark) + "\n]\n").encode()


def csv_pieces(session: Session, site: Site) -> Iterator[bytes]:
    """Yield CSV in UTF-8 with a header."""
    line = io.StringIO(newline="")
    writer = csv.DictWriter(line, FIELDS)
    writer.writeheader()
    try:
        for record in _records(session, site):
            writer.writerow({name: harmless_cell(value) for name, value in record.items()})
            yield _taken(line)
    except Exception:
        yield NOT_WHOLE  # other formats show by their end whether they are whole
        raise
    yield _taken(line)


def harmless_cell(value: Any) -> Any:
    """Return a cell that no spreadsheet runs as a formula; `original_cell` is its inverse."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def original_cell(cell: str) -> str:
    """Return what `harmless_cell` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _taken(line: io.StringIO) -> bytes:
    data = line.getvalue().encode()
    line.seek(0)
    line.truncate()
    return data


def _records(session: Session, site: Site) -> Iterator[dict[str, Any]]:
    for article, comments in exported_comments.articles(session, site.id):
        for comment in comments:
            yield _record(article, comment)


def _record(article: Any, comment: ExportedComment) -> dict[str, Any]:
    """Return a comment's fields, without those that are empty."""
    row = comment.row
    values = {
        "url": article.url,
        "thread": match_keys.page_id(article.key),
        "title": article.title,
        "id": comment.uid,
        "parent": comment.parent_uid,
        "name": comment.name,
        "email": row.guest_email,
        "website": comment.website,
        "date": records.encoded(row.created_at),
        "edited": records.encoded(row.edited_at),
        "kind": "" if row.kind is Kind.COMMENT else row.kind.value,
        "status": row.status.value,
        "role": row.role.value if row.role else "",
        "pinned": "true" if row.pinned else "",
        "format": row.format.value,
        "text": row.source,
    }
    return {name: value for name, value in values.items() if value}
