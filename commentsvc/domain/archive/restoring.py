"""Restores an archive into a database, empty or not, in one transaction.

Half of an archive could not be completed later: rows of a site or comment are restored only together with it:
one that exists keeps its own. So it is one transaction; the texts, which are slow to render, are rendered before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Any

from sqlalchemy import exists, insert, or_, select
from sqlalchemy import text as sql_text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from commentsvc.db.session import begin_write
from commentsvc.domain.archive import known_rows, recounting
from commentsvc.domain.archive.known_rows import KnownRows
from commentsvc.domain.archive.parts import PARTS, ArchivePart
from commentsvc.domain.archive.reading import ArchiveFile
from commentsvc.domain.archive.rendered_texts import RenderedTexts
from commentsvc.domain.archive.restored_rows import Numbers, RowMaker, completed, completed_without_html
from commentsvc.errors import ArchiveError
from commentsvc.models import Comment, Commenter, Origin, Site

BATCH = 500
"""Rows that are stored by one statement."""

Progress = Callable[[int], object]
Amend = Callable[[Session], object]


@dataclass(slots=True)
class RestoreReport:
    """What a restore did, by tables."""

    into_empty: bool
    added: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    """Records that were there already."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Records that belong to something that exists and keeps its own."""
    unknown_addresses: int = 0
    """Suppressed addresses that cannot be recognised here: see `RowMaker`."""


def restore(
    session: Session,
    archive: ArchiveFile,
    *,
    progress: Progress | None = None,
    with_html: bool = True,
    amend: Amend = lambda _: None,
) -> RestoreReport:
    """Restore a verified archive and commit; what exists already stays as it is.

    An empty database gets the numbers of the archive; in any other, records get new ones, and nothing is doubled.
    `with_html=False` is for a database that nobody reads. `amend` may change what was restored before anybody sees it.
    `progress` is called with the number of comments that were rendered, and of those that were stored. Raises
    ArchiveError, after which nothing has changed.
    """
    progress = progress or (lambda _: None)
    if not is_empty(session):  # here, too, so that nobody waits for the texts in vain
        _require_free_origins(session, archive)
    if not with_html:
        return _restored(session, archive, None, progress, amend)
    with RenderedTexts() as texts:
        texts.write(session, archive, progress)
        return _restored(session, archive, texts, progress, amend)


def _restored(
    session: Session, archive: ArchiveFile, texts: RenderedTexts | None, progress: Progress, amend: Amend
) -> RestoreReport:
    begin_write(session, unlimited=True)
    try:
        report = _Restore(session, archive, texts, progress).run()
        amend(session)
        session.commit()
    except (IntegrityError, DataError) as error:
        session.rollback()
        raise ArchiveError(
            "The archive contradicts itself or what is here, so nothing was restored: "
            f"{str(error.orig).strip().splitlines()[0]}"
        ) from None
    except BaseException:
        session.rollback()
        raise
    return report


def is_empty(session: Session) -> bool:
    """Whether a database has no site, no person and no comment yet."""
    return not session.scalar(
        select(or_(*(exists().select_from(model) for model in (Site, Commenter, Comment))))
    )


class _Restore:
    def __init__(
        self, session: Session, archive: ArchiveFile, texts: RenderedTexts | None, progress: Progress
    ) -> None:
        self.session, self.archive, self.texts, self.progress = session, archive, texts, progress
        self.report = RestoreReport(into_empty=is_empty(session))
        self.numbers = Numbers(kept=self.report.into_empty)
        self.rows = RowMaker(session, self.numbers)
        self.known = KnownRows(session, archive, self.numbers)
        self.new_numbers: Iterator[int] = iter(())
        self.threads: set[int] = set()
        """The threads that got comments."""

    def run(self) -> RestoreReport:
        if not self.report.into_empty:
            _require_free_origins(self.session, self.archive)
        for part in PARTS:
            self._restore_part(part)
        if self.report.into_empty:
            _continue_numbers(self.session)
        else:
            recounting.recount(self.session, self.threads)
        self.report.unknown_addresses = self.rows.unknown_addresses
        return self.report

    def _restore_part(self, part: ArchivePart) -> None:
        self.known.load(part)
        self.new_numbers = known_rows.new_numbers(self.session, part, above=self._highest(part))
        for name in ("added", "unchanged", "skipped"):
            getattr(self.report, name)[part.name] = 0
        for batch in _batches(self._new_rows(part)):
            self.session.execute(insert(part.table), batch)  # type: ignore[arg-type]
            self.report.added[part.name] += len(batch)
            self.progress(len(batch) if part.model is Comment else 0)

    def _highest(self, part: ArchivePart) -> int:
        """Return the archive's last number of a comment: no new one may be the same as an old one of its thread."""
        if part.model is not Comment or self.report.into_empty:
            return 0
        return max((int(record["id"]) for record in self.archive.records(part)), default=0)

    def _new_rows(self, part: ArchivePart) -> Iterator[dict[str, Any]]:
        texts = self.texts.read() if self.texts and part.model is Comment else repeat(None)
        for record in self.archive.records(part):
            text = next(texts)  # also of a record that is left out
            row = self.rows.row(part, record) if self.report.into_empty else self._added(part, record)
            if row is not None:
                yield completed(part, row, text) if self.texts else completed_without_html(part, row)

    def _added(self, part: ArchivePart, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the row of a record that is not here yet, else None."""
        row = None if self.known.is_kept_out(part, record) else self.rows.row(part, record)
        if row is None:
            self.report.skipped[part.name] += 1
            return None
        former, number = record.get("id"), self.known.number_of(part, record, row)
        if number is not None:
            self.report.unchanged[part.name] += 1
            if former is not None:
                self.numbers.add(part.name, former, number)
            return None
        if former is not None:
            row["id"] = next(self.new_numbers)
            self.numbers.add(part.name, former, row["id"])
        if part.model is Comment:
            self._adopt(row, record)
        self.known.note_new(part, former)
        return row

    def _adopt(self, row: dict[str, Any], record: Mapping[str, Any]) -> None:
        """Let a comment keep what identifies it, so that its old links and a second restore find it."""
        row["transfer_key"] = record["uid"]
        if not self.known.is_new_site(record["site_id"]):
            row["learned"] = None  # the filter of the site that exists has not learned it
        self.threads.add(row["thread_id"])


def _require_free_origins(session: Session, archive: ArchiveFile) -> None:
    """Raise ArchiveError if a new site of the archive has an origin that belongs to another site here."""
    names = {record["id"]: record["name"] for record in archive.records(_part_of(Site))}
    owners = {
        row.origin: row.name
        for row in session.execute(select(Origin.origin, Site.name).join(Site, Site.id == Origin.site_id))
    }
    existing = set(session.scalars(select(Site.name)))
    for record in archive.records(_part_of(Origin)):
        name, owner = names.get(record["site_id"]), owners.get(record["origin"])
        if name not in existing and owner is not None:
            raise ArchiveError(
                f"{record['origin']} belongs to the site {owner} here, and to {name} in the archive. "
                "Give both sites the same name, or take the origin from one of them."
            )


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _part_of(model: type[Any]) -> ArchivePart:
    return next(part for part in PARTS if part.model is model)


def _continue_numbers(session: Session) -> None:
    """Let PostgreSQL number new rows after the restored ones; SQLite does so by itself."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for part in PARTS:
        if "id" in part.columns:
            session.execute(
                sql_text(
                    f"SELECT setval(pg_get_serial_sequence('\"{part.name}\"', 'id'), "  # noqa: S608 - our own name
                    f'GREATEST((SELECT MAX(id) FROM "{part.name}"), 1))'
                )
            )
