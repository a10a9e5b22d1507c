"""What an export writes, our own import reads, with everything that the format can carry."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.authors import Author
from commentsvc.domain.fields import Guest
from commentsvc.domain.moderation import decisions
from commentsvc.domain.sites import sites
from commentsvc.domain.threads import threads
from commentsvc.domain.transfer import export_formats, export_plain
from commentsvc.models import Comment, Kind, Role, Site, Status, TextFormat, TitleSource
from commentsvc.text import markup
from tests.conftest import BLOG, environment
from tests.support import archives, comment_builders, exports
from tests.support.comment_builders import Pen

NAME = 'Zoë "Z" <b>&amp; Co'
TEXTS = [
    "*Hello* <script>alert(1)</script> & `code`\n\nsecond ]]> paragraph",
    "=cmd|' /C calc'!A0",
    "'=quoted",
    "- item\n- item",
    "Smile, 😀 and \u200fשלא",
]
PLAIN = ("json", "csv")


def fill(session: Session, site: Site) -> None:
    """Write comments of all kinds, statuses and authors. Commits."""
    pen = comment_builders.article(session, site, "/hello?p=4")
    roots = [
        pen.write(text, by=Guest(NAME, "zoe@mail.example", "https://zoe.example"), title="A & <b>")
        for text in TEXTS
    ]
    owner = pen.write("By the owner", by=Author(commenter_id=1, role=Role.OWNER), to=roots[0])
    pen.write("Deeper", to=owner)
    session.flush()
    roots[0].pinned, roots[1].edited_at = True, comment_builders.NOON
    for root, status in zip(roots[2:], (Status.HELD, Status.SPAM, Status.TRASH), strict=True):
        decisions.decide(session, root, status)
    imported = pen.write("<p>An <em>imported</em> one</p>", by=comment_builders.BEN)
    imported.format, imported.html = TextFormat.HTML, markup.render_html(imported.source).html
    imported.transfer_key = "wordpress:old:7"
    mention = pen.write("Mentioned", by=Guest("Other blog", None, "https://other.example"))
    mention.kind = Kind.PINGBACK
    pen.thread.title, pen.thread.title_source = "A & <b>", TitleSource.IMPORT
    by_id = Pen(session, threads.address_on(site, f"{BLOG}/by-id/", page_id="my-id"))
    by_id.at += timedelta(days=1)
    by_id.write("With an id")
    session.commit()


def written(session: Session, site: Site, name: str, folder: Path) -> Path:
    """Write a site's export to a file."""
    chosen = export_formats.named(name)
    assert chosen is not None
    path = folder / f"export{chosen.ending}"
    path.write_bytes(b"".join(chosen.write(session, site, archives.AT)))
    return path


def rows(session: Session, name: str) -> list[tuple[Any, ...]]:
    """Return what a format can carry of every comment, in the order of their times."""
    session.expire_all()
    comments = session.scalars(select(Comment).order_by(Comment.created_at)).all()
    return [_row(comment, has_seconds=name == "wxr") for comment in comments]


def _row(comment: Comment, *, has_seconds: bool) -> tuple[Any, ...]:
    def time(at: datetime | None) -> datetime | None:
        return at.replace(microsecond=0) if at and has_seconds else at

    member = comment.commenter
    carried = (
        comment.thread.url,
        comment.thread.title,
        time(comment.created_at),
        time(comment.parent.created_at) if comment.parent else None,
        comment.guest_name or (member.name if member else ""),
        comment.guest_email,
        comment.guest_website,
        comment.status,
        comment.kind,
        comment.role,
        markup.plain(comment.html),
    )
    if has_seconds:
        return carried
    return (*carried, comment.thread.key, comment.source, comment.format, comment.pinned, comment.edited_at)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
@pytest.mark.parametrize("name", ["wxr", *PLAIN])
def test_our_import_reads_it(
    name: str, session: Session, site: Site, tmp_path: Path, migrated_sqlite: Path
) -> None:
    fill(session, site)
    before = rows(session, name)
    path = written(session, site, name, tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "comments.sqlite").write_bytes(migrated_sqlite.read_bytes())
    with archives.opened(Settings.from_env(environment(other))) as target:
        begin_write(target)
        there = sites.add(target, "Blog", [BLOG], owner_id=accounts.operator(target).id)
        target.commit()
        report = exports.load(target, there, path)
        assert rows(target, name) == before, report.lines()
        number = len(before)
        exports.load(target, there, path)
        assert len(rows(target, name)) == number


def test_a_spreadsheet_runs_nothing(session: Session, site: Site, tmp_path: Path) -> None:
    fill(session, site)
    path = written(session, site, "csv", tmp_path)
    cells = [cell for row in csv.reader(path.read_text().splitlines(keepends=True)) for cell in row]
    assert any("calc" in cell for cell in cells)
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@", "\t", "\r"}]


@pytest.mark.parametrize("cell", ["", "a", "=a", "'=a", "''=a", "'a", "'", "-", "@x", "\tx", "it's"])
def test_a_cell_comes_back_as_it_was(cell: str) -> None:
    assert export_plain.original_cell(export_plain.harmless_cell(cell)) == cell


def test_json_has_the_fields_of_the_document(session: Session, site: Site, tmp_path: Path) -> None:
    fill(session, site)
    records = json.loads(written(session, site, "json", tmp_path).read_text())
    assert {name for record in records for name in record} <= set(export_plain.FIELDS)
    assert any(record.get("thread") == "my-id" for record in records)


@pytest.mark.parametrize("name", PLAIN)
def test_a_site_without_comments_gives_a_valid_file(
    name: str, session: Session, site: Site, tmp_path: Path
) -> None:
    session.commit()
    text = written(session, site, name, tmp_path).read_text()
    assert json.loads(text) == [] if name == "json" else len(text.splitlines()) == 1


def test_a_spreadsheet_says_that_it_is_not_whole(
    session: Session, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(session, site)

    def fail(*_: object) -> None:
        raise OSError("disk I/O error")

    pieces = export_plain.csv_pieces(session, site)
    assert next(pieces)
    monkeypatch.setattr(export_plain, "_record", fail)
    assert next(pieces) == export_plain.NOT_WHOLE
    with pytest.raises(OSError, match="disk"):
        next(pieces)
