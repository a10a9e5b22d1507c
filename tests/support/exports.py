"""Small exports of the systems that can be imported, and how a test imports them."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.transfer import importing, input_files, sources
from commentsvc.domain.transfer.import_report import ImportReport
from commentsvc.domain.transfer.input_files import ReadLog
from commentsvc.domain.transfer.records import ImportedThread
from commentsvc.models import Comment, Site, Status
from commentsvc.text import markup

FOLDER = Path(__file__).parents[1] / "domain" / "transfer" / "exports"
TODAY = datetime(2026, 6, 1, 12, tzinfo=UTC)


def isso_database(folder: Path) -> Path:
    """Write the database of `isso.sql`; return its path."""
    path = folder / "comments.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript((FOLDER / "isso.sql").read_text())
    return path


def articles(
    *paths: Path | str, standard_input: bytes = b"", page_ids: bool = False
) -> Iterator[ImportedThread]:
    """Yield what the readers read in these files."""
    with input_files.opened([str(path) for path in paths], io.BytesIO(standard_input)) as files:
        for file, source in sources.required(files):
            reader = (source.read_by_page_id if page_ids else None) or source.read
            yield from reader(file, ReadLog())


def load(session: Session, site: Site, *paths: Path | str, **options: Any) -> ImportReport:
    """Import these files into `site`."""
    return importing.run(session, site, articles(*paths), at=TODAY, **options)


def import_records(session: Session, site: Site, records: Iterable[ImportedThread]) -> ImportReport:
    """Import these records into `site`."""
    return importing.run(session, site, records, at=TODAY)


def visible(session: Session) -> list[tuple[str, str | None, str, str, str]]:
    """Return id, parent's id, time, name and text of every approved comment, in the order of their ids."""
    session.expire_all()
    rows = session.scalars(select(Comment).where(Comment.status == Status.APPROVED)).all()
    return sorted(
        (
            _old_id(comment) or "",
            _old_id(comment.parent),
            comment.created_at.isoformat().removesuffix("+00:00"),
            comment.guest_name or "",
            markup.plain(comment.html),
        )
        for comment in rows
    )


def _old_id(comment: Comment | None) -> str | None:
    return (
        comment.transfer_key.rpartition(":")[2].partition("~")[0]
        if comment and comment.transfer_key
        else None
    )
