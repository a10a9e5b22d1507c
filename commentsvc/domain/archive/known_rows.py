"""Recognises records of an archive that are in the database already."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from itertools import count
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from commentsvc.domain.accounts import single_sign_on
from commentsvc.domain.archive import records
from commentsvc.domain.archive.parts import PARTS, ArchivePart
from commentsvc.domain.archive.reading import ArchiveFile
from commentsvc.domain.archive.restored_rows import Numbers
from commentsvc.models import Comment, Commenter, DeletedImport, Identity, Site, Thread, ThreadAlias

RESERVED = 1000
"""Numbers that PostgreSQL gives at once."""


class KnownRows:
    """The rows of the archive's sites that exist, by what identifies them; one part at a time."""

    def __init__(self, session: Session, archive: ArchiveFile, numbers: Numbers) -> None:
        self._session, self._archive, self._numbers = session, archive, numbers
        self._known: dict[Hashable, int] = {}
        self._deleted: set[str] = set()
        self._new_sites: set[int] = set()
        """Numbers in the archive."""
        self._new_comments: set[int] = set()
        """Numbers in the archive; only with them come their decisions, reports and so on."""

    def load(self, part: ArchivePart) -> None:
        """Read the rows of a part; after this, `number_of` knows them."""
        self._known = {}
        if self._numbers.kept:
            return
        if part.model is Comment:
            self._load_comments()
        elif part.model is Commenter:
            self._load_people(part)
        elif part.key:
            columns = [part.table.c[name] for name in part.key]
            number = part.table.c["id"] if "id" in part.table.c else func.coalesce(columns[0], 0)
            for row in self._session.execute(select(number, *columns)):
                self._known[tuple(row[1:])] = row[0]
            if part.model is ThreadAlias:  # an address leads to one thread only
                keys = select(Thread.id, Thread.site_id, Thread.key)
                self._known |= {(row.site_id, row.key): row.id for row in self._session.execute(keys)}
            if part.model is Thread:
                keys = select(ThreadAlias.thread_id, ThreadAlias.site_id, ThreadAlias.key)
                for row in self._session.execute(keys):
                    self._known.setdefault((row.site_id, row.key), row.thread_id)

    def number_of(self, part: ArchivePart, record: Mapping[str, Any], row: Mapping[str, Any]) -> int | None:
        """Return the number here of a record and its row; None if it is not here."""
        if part.model is Comment:
            return self._known.get((row["site_id"], record["uid"]))
        if part.model is Commenter:
            number = self._known.get(record["id"])
            return number if number is not None else self._known.get((row["name"], row["created_at"]))
        return self._known.get(tuple(row.get(name) for name in part.key)) if part.key else None

    def note_new(self, part: ArchivePart, former: int | None) -> None:
        """Note that a site or comment with this number in the archive was not here."""
        if former is not None and part.model in {Site, Comment}:
            (self._new_sites if part.model is Site else self._new_comments).add(former)

    def is_new_site(self, former: int) -> bool:
        """Whether the site with this number in the archive came with it."""
        return former in self._new_sites

    def is_kept_out(self, part: ArchivePart, record: Mapping[str, Any]) -> bool:
        """Whether to skip a record: its site or comment was here before, or it was deleted here for good."""
        if part.with_site and record.get("site_id") not in self._new_sites:
            return True
        if part.model is Comment:
            return record["uid"] in self._deleted and record["site_id"] not in self._new_sites
        return "comment_id" in record and record["comment_id"] not in self._new_comments

    def _load_comments(self) -> None:
        for site_id in self._existing_sites():
            query = select(Comment.id, Comment.created_at, Comment.transfer_key).where(
                Comment.site_id == site_id
            )
            for row in self._session.execute(query, execution_options={"yield_per": 1000}):
                self._known[site_id, records.uid(row.id, row.created_at, row.transfer_key)] = row.id
            deleted = select(DeletedImport.transfer_key).where(DeletedImport.site_id == site_id)
            self._deleted.update(self._session.scalars(deleted))

    def _existing_sites(self) -> set[int]:
        sites = next(part for part in PARTS if part.model is Site)
        numbers = (
            self._numbers.get(Site.__tablename__, record["id"])
            for record in self._archive.records(sites)
            if record["id"] not in self._new_sites
        )
        return {number for number in numbers if number is not None}

    def _load_people(self, part: ArchivePart) -> None:
        """People are recognised by a login; without any, by their name and the time of their creation."""
        query = select(Commenter.id, Commenter.name, Commenter.created_at)
        self._known = {(row.name, row.created_at): row.id for row in self._session.execute(query)}
        here = select(Identity.commenter_id, Identity.provider, Identity.issuer, Identity.subject)
        logins: dict[Hashable, int] = {tuple(row[1:]): row[0] for row in self._session.execute(here)}
        identities = next(part for part in PARTS if part.model is Identity)
        for record in self._archive.records(identities):
            login = (record["provider"], self._issuer(record), record["subject"])
            if login in logins:
                self._known[record["commenter_id"]] = logins[login]

    def _issuer(self, record: Mapping[str, Any]) -> str | None:
        """Return the issuer of an identity here: a site's own sign-in is named after the site's number."""
        issuer: str = record["issuer"]
        former = issuer.removeprefix(single_sign_on.issuer(0).removesuffix("0"))
        if record["provider"] != single_sign_on.PROVIDER or not former.isdigit():
            return issuer
        number = self._numbers.get(Site.__tablename__, int(former))
        return None if number is None else single_sign_on.issuer(number)


def new_numbers(session: Session, part: ArchivePart, *, above: int) -> Iterator[int]:
    """Yield numbers of a table that no other row has or gets, for as long as the transaction lasts."""
    if session.get_bind().dialect.name == "postgresql":
        sequence = f"pg_get_serial_sequence('\"{part.name}\"', 'id')"
        session.execute(text(f"SELECT setval({sequence}, GREATEST(nextval({sequence}), {above:d}))"))
        query = text(f"SELECT nextval({sequence}) FROM generate_series(1, {RESERVED})")  # noqa: S608 - our own name
        while True:
            yield from session.scalars(query).all()
    highest: int | None = session.scalar(select(func.max(part.table.c.id)))
    yield from count(max(highest or 0, above) + 1)  # nobody else can write meanwhile
