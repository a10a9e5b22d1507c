"""Every column of every table is in an archive or left out for a reason, and no secret is in one."""

from __future__ import annotations

import zipfile
from pathlib import Path

from sqlalchemy.orm import Session

from commentsvc.db.session import Base, begin_write
from commentsvc.domain.archive.parts import LEFT_OUT, PARTS
from commentsvc.domain.sites import sites
from commentsvc.models import AUTHOR_COLUMNS
from tests.support import archives

DECIDE = "Decide in domain/archive/parts.py whether an archive has this, and list it in docs/archive.md"


def test_every_table_is_in_or_out() -> None:
    tables = set(Base.metadata.tables)
    parts = {part.name for part in PARTS}
    assert tables == parts | set(LEFT_OUT), DECIDE
    assert not parts & set(LEFT_OUT)


def test_every_column_is_in_or_out() -> None:
    for part in PARTS:
        assert set(part.table.c.keys()) == set(part.columns) | set(part.omitted), f"{part.name}: {DECIDE}"
        assert not set(part.columns) & set(part.omitted), part.name


def test_what_a_part_refers_to_comes_before_it() -> None:
    before: set[str] = set()
    for part in PARTS:
        before.add(part.name)
        assert {key.column.table.name for key in part.table.foreign_keys} <= before, part.name


def test_hashes_of_authors_are_out() -> None:
    comment = next(part for part in PARTS if part.name == "comment")
    hashes = {name for name in AUTHOR_COLUMNS if name.endswith(("_hash", "_key"))} - {"origin_key"}
    assert hashes
    assert hashes <= set(comment.omitted)


def test_no_secret_is_in_it(session: Session, tmp_path: Path) -> None:
    archives.fill(session)  # which makes every secret begin with "very-secret"
    with zipfile.ZipFile(archives.write(session, tmp_path / "a.zip")) as archive:
        for name in archive.namelist():
            assert b"very-secret" not in archive.read(name), name


def test_an_archive_of_one_site_has_nothing_of_another(session: Session, tmp_path: Path) -> None:
    site = archives.fill(session)
    whole = archives.contents(archives.write(session, tmp_path / "all.zip"))
    begin_write(session)
    other = sites.add(session, "Other", ["https://other.example"], owner_id=1)
    session.flush()
    elsewhere = archives.subscribe(session, other, None, "cid@mail.example", None)
    session.add(archives.suppressed("cid@mail.example", None))
    session.commit()
    assert archives.contents(archives.write(session, tmp_path / "one.zip", site.name)) == whole
    begin_write(session)
    session.delete(elsewhere)
    session.commit()
    alone = archives.contents(archives.write(session, tmp_path / "other.zip", other.name))
    filled = {name for name, records in alone.items() if records}
    assert filled == {"site", "origin", "commenter", "identity", "membership"}
    assert [record["id"] for record in alone["site"]] == [other.id]
