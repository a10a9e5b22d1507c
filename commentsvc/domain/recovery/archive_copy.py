"""Writes an archive as a backup, and proves it by restoring it into a scratch database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from commentsvc.db.session import Base, connect_to_migrate, engine_options
from commentsvc.domain.archive import restoring, writing
from commentsvc.domain.archive.reading import ArchiveFile
from commentsvc.errors import ArchiveError, BackupError
from commentsvc.models.keys import HASH_KEY


def write(session: Session, path: Path, *, at: datetime) -> None:
    """Write everything into a file, as it is at one moment."""
    with path.open("wb") as file:
        for piece in writing.pieces(session, None, at=at):
            file.write(piece)


def prove(path: Path, scratch: Path, *, at: datetime) -> None:
    """Restore an archive into a database in the folder `scratch`; raises BackupError.

    The archive of that database must be the same. HTML is not rendered for it: an archive has none.
    """
    again = scratch / "again.zip"
    try:
        with ArchiveFile(path) as archive, _scratch_database(scratch / "scratch.sqlite") as session:
            archive.verify()
            restoring.restore(session, archive, with_html=False)
            write(session, again, at=at)
            with ArchiveFile(again) as other:
                different = [
                    first.file
                    for first, second in zip(archive.manifest.parts, other.manifest.parts, strict=True)
                    if first != second
                ]
    except ArchiveError as error:
        raise BackupError(f"The archive cannot be restored: {error}") from None
    if different:
        raise BackupError(f"What the archive restores is not what it has, in {', '.join(different)}.")


@contextmanager
def _scratch_database(file: Path) -> Iterator[Session]:
    url = f"sqlite:///{file}"
    engine = create_engine(url, **engine_options(url))
    try:
        with connect_to_migrate(engine) as connection:
            Base.metadata.create_all(connection)
            HASH_KEY.metadata.create_all(connection)
            connection.commit()
        with Session(engine) as session:
            yield session
    finally:
        engine.dispose()
