"""Files as people have them: compressed, in folders and archives, piped, damaged, and hostile."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from commentsvc.domain.transfer import input_files, sources
from commentsvc.errors import TransferError
from commentsvc.models import Comment, Site, Thread
from tests.support import exports

DISQUS = exports.FOLDER / "disqus.xml"


def ids(*paths: Path | str, standard_input: bytes = b"") -> list[str]:
    """Return the ids of all comments in these files."""
    articles = exports.articles(*paths, standard_input=standard_input)
    return sorted(comment.id for article in articles for comment in article.comments)


EXPECTED = ids(DISQUS)


def refusal(*paths: Path | str, standard_input: bytes = b"") -> str:
    with pytest.raises(TransferError) as caught:
        ids(*paths, standard_input=standard_input)
    return str(caught.value)


def packed(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_gzipped_file_is_read_as_it_came(tmp_path: Path) -> None:
    path = tmp_path / "anexample-2024.xml.gz"
    path.write_bytes(gzip.compress(DISQUS.read_bytes()))
    assert ids(path) == EXPECTED


def test_an_archive_is_read_with_compressed_members_and_others_beside_them(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "takeout.zip",
        **{
            "Takeout/Blogger/Blogs/A/feed.atom": (exports.FOLDER / "blogger-takeout.atom").read_bytes(),
            "Takeout/Blogger/Blogs/A/settings.csv": b"name,value\nx,1\n",
            "Takeout/photo.jpg": b"\xff\xd8",
            "../../escape.xml.gz": gzip.compress(DISQUS.read_bytes()),
        },
    )
    assert ids(path) == sorted([*EXPECTED, "200", "201", "202", "203", "204"])
    assert [one.name for one in tmp_path.iterdir()] == ["takeout.zip"]


def test_a_folder_is_read_with_all_its_exports(tmp_path: Path) -> None:
    shutil.copy(DISQUS, tmp_path / "export.xml")
    (tmp_path / "deep").mkdir()
    shutil.copy(exports.FOLDER / "waline.json", tmp_path / "deep" / "waline.json")
    (tmp_path / "notes.txt").write_text("Nothing of interest")
    assert ids(tmp_path) == sorted([*EXPECTED, "1", "2", "3", "4", "5"])


def test_several_files_are_one_import(tmp_path: Path) -> None:
    assert ids(DISQUS, exports.FOLDER / "artalk.artrans") == sorted([*EXPECTED, "1", "2", "3", "4"])


@pytest.mark.parametrize("compressed", [False, True])
def test_standard_input_is_read(compressed: bool) -> None:
    content = DISQUS.read_bytes()
    assert ids("-", standard_input=gzip.compress(content) if compressed else content) == EXPECTED


def test_a_database_is_read_with_the_changes_beside_it_and_left_as_it_is(tmp_path: Path) -> None:
    path = exports.isso_database(tmp_path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(
            "INSERT INTO comments (tid, id, created, mode, text, voters) VALUES (1, 90, 1546421600.0, 1, 'New', x'00')"
        )
        database.commit()
        before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
        assert "90" in ids(path)
        archive = packed(
            tmp_path / "isso.zip", **{name: before[name] for name in ("comments.db", "comments.db-wal")}
        )
        assert "90" in ids(archive)
        assert {name: (tmp_path / name).read_bytes() for name in before} == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no export that can be read"),
        (b"Dear customer", "no export that can be read"),
        (b"[]", "no export that can be read"),
        (gzip.compress(b"<disqus", mtime=0)[:-12], "damaged or ends in the middle"),
        (b"PK\x03\x04 and nothing", "the archive is damaged"),
        (b"Rar!\x1a\x07\x00", "Unpack the file first"),
        (b"SQLite format 3\x00" + bytes(200), "the database cannot be read"),
        (b'{"version": 1, "comments": [{"commentHex": "a', "the file ends in the middle"),
        (b'{"version": 2, "comments": [{"commentHex": "a"}]}', "version 2 of Commento's export"),
        (b'[{"page_key": "/a/", "id": nothing}]', "this is not valid JSON"),
        (b'{"id": "1", "pid": "", "locator": {}}\nnonsense\n', "Line 2: this is not valid JSON"),
        (b'<disqus xmlns="http://disqus.com"><thread></disqus>', "this is not valid XML"),
        (b'<!DOCTYPE x><disqus xmlns="http://disqus.com"/>', "DTD"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_and_writes_nothing(
    session: Session, site: Site, tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "export"
    path.write_bytes(content)
    with pytest.raises(TransferError, match=sentence):
        exports.load(session, site, path)
    session.rollback()
    assert session.scalars(select(Comment)).all() == session.scalars(select(Thread)).all() == []


def test_a_file_cut_off_anywhere_writes_nothing_or_what_it_has_whole(tmp_path: Path) -> None:
    for name in ("disqus.xml", "commento.json", "artalk.artrans", "waline.json", "blogger-classic.xml"):
        content = (exports.FOLDER / name).read_bytes().rstrip()
        for cut in range(len(content) // 2, len(content), len(content) // 7):
            path = tmp_path / name
            path.write_bytes(content[:cut])
            assert "the file ends in the middle" in refusal(path), (name, cut)


def test_an_archive_that_unpacks_to_far_more_than_itself_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_files, "RATIO_FROM", 1 << 20)
    start = DISQUS.read_bytes().partition(b"<thread")[0]
    bomb = start + b"<!--" + bytes(32).replace(b"\0", b"x") * (1 << 18) + b"--></disqus>"
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bomb))
    assert "larger than an export can be" in refusal(tmp_path / "bomb.gz")
    assert "larger than an export can be" in refusal(packed(tmp_path / "bomb.zip", bomb=bomb))


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_files, "MEMBERS_MOST", 2)
    assert "more than 2 files" in refusal(packed(tmp_path / "many.zip", a=b"1", b=b"2", c=b"3"))


def test_a_name_says_what_a_file_is_that_is_not_recognised() -> None:
    file = input_files.ImportFile("x", lambda: io.BytesIO(b"something"))
    assert sources.recognised(file) is None
    assert [source.name for source in sources.SOURCES] == list(sources.NAMES)
    assert sources.named("disqus").label == "Disqus"


def test_a_file_in_utf_16_and_a_backup_with_a_long_header_are_recognised(tmp_path: Path) -> None:
    path = tmp_path / "utf-16.xml"
    path.write_bytes(DISQUS.read_text().replace('encoding="utf-8"', "").encode("utf-16"))
    assert ids(path) == EXPECTED
    _, *comments = (exports.FOLDER / "remark42.jsonl").read_text().splitlines(keepends=True)
    users = json.dumps([{"id": f"github_{number}", "verified": True} for number in range(3000)])
    backup = tmp_path / "backup"
    backup.write_text("".join([f'{{"version": 1, "users": {users}, "posts": []}}\n', *comments]))
    assert ids(backup) == ids(exports.FOLDER / "remark42.jsonl")
