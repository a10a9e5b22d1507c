"""Renders the comments of an archive before a restore takes the write lock, because that takes most of its time."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.archive import records
from commentsvc.domain.archive.parts import part_of
from commentsvc.domain.archive.reading import ArchiveFile
from commentsvc.domain.comments import comment_text
from commentsvc.models import Comment
from commentsvc.text import markup

COMMENTS = part_of("comment")


class RenderedTexts:
    """The rendered texts of an archive's comments, in its order, in a private file, deleted after the block."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> RenderedTexts:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, session: Session, archive: ArchiveFile, progress: Callable[[int], object]) -> None:
        """Render all comments of an archive that the database lacks; ends the session's transaction."""
        there = _uids(session)
        session.rollback()
        for record in archive.records(COMMENTS):
            columns = None
            if record.get(records.UID) not in there:
                columns = rendered(records.decoded(COMMENTS, record))
            self._file.write(f"{json.dumps(columns)}\n")
            progress(1)

    def read(self) -> Iterator[dict[str, Any] | None]:
        """Yield the columns of each comment of the archive; None for one that was in the database."""
        self._file.seek(0)
        return map(json.loads, self._file)


def rendered(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that come from a comment's text; HTML of a file is never trusted."""
    return {
        "html": comment_text.render(row["source"], row["format"]).html,
        "renderer": markup.VERSION,
        "digest": comment_text.digest_of(row["source"]),
    }


def _uids(session: Session) -> set[str]:
    query = select(Comment.id, Comment.created_at, Comment.transfer_key)
    rows = session.execute(query, execution_options={"yield_per": 1000})
    return {records.uid(row.id, row.created_at, row.transfer_key) for row in rows}
