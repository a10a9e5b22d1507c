"""The commands backup and restore, on a SQLite file."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from commentsvc.serving import service_lock
from tests.support.cli_service import fail, succeed

DATABASE = Path("instance/comments.sqlite")


def backed_up() -> Path:
    """Make a backup as an operator does; return its file."""
    succeed("backup", "backups")
    return max(Path("backups").glob("*-sqlite.db"))


def listed() -> str:
    return succeed("comments", "list", "--status", "approved") + succeed("comments", "list")


def test_a_copy_takes_the_place_of_the_database(written: list[int]) -> None:
    before = listed()
    copy = backed_up()
    succeed("user", "erase", "email:ada@mail.example", "--yes")
    changed = listed()
    assert changed != before
    printed = succeed("restore", str(copy), "--yes")
    assert "Erased or ended again" in printed
    assert "The former database is" in printed
    assert "ada" not in listed().lower()
    assert "Wait for me" in listed()
    assert stat.S_IMODE(DATABASE.stat().st_mode) == 0o600
    assert not list(Path("instance").glob(".commentsvc-restore-*"))


def test_without_the_ledger_everything_is_as_in_the_backup(written: list[int]) -> None:
    before = listed()
    copy = backed_up()
    succeed("comments", "spam", str(written[0]), "--yes")
    DATABASE.unlink()
    for name in ("-wal", "-shm"):
        DATABASE.with_name(f"{DATABASE.name}{name}").unlink(missing_ok=True)
    printed = succeed("restore", str(copy))
    assert "former database" not in printed
    assert listed() == before


def test_a_copy_of_the_sqlite_shell_is_restored_too(written: list[int]) -> None:
    before = listed()
    with closing(sqlite3.connect(DATABASE)) as source, closing(sqlite3.connect("own.db")) as copy:
        source.backup(copy)
    succeed("comments", "spam", str(written[0]), "--yes")
    succeed("restore", "own.db", "--yes")
    assert listed() == before


def test_a_copy_from_which_the_service_had_moved_takes_changes_again(written: list[int]) -> None:
    sqlite3_run(
        "INSERT INTO service_move (id, state, token, other, expires, began_at) "
        "VALUES (1, 'moved', 'x', 'postgresql:///other', NULL, '2026-11-30 12:00:00.000000')"
    )
    copy = backed_up()
    assert "is moving" in fail("comments", "spam", str(written[0]), "--yes")
    succeed("restore", str(copy), "--yes")
    succeed("comments", "spam", str(written[0]), "--yes")


def test_nothing_changes_while_the_database_is_open(written: list[int]) -> None:
    copy = backed_up()
    with closing(sqlite3.connect(DATABASE)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("SELECT count(*) FROM comment").fetchall()
        assert "has instance/comments.sqlite open" in fail("restore", str(copy), "--yes").replace(
            f"{Path.cwd()}/", ""
        )
    succeed("restore", str(copy), "--yes")


@pytest.mark.parametrize("fault", ["damaged", "foreign", "unanswered"])
def test_what_cannot_be_restored_leaves_the_database_alone(written: list[int], fault: str) -> None:
    copy = backed_up()
    before = listed()
    if fault == "damaged":
        data = bytearray(copy.read_bytes())
        data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
        copy.write_bytes(data)
        assert "malformed" in fail("restore", str(copy), "--yes")
    elif fault == "foreign":
        with closing(sqlite3.connect("other.db")) as other:
            other.execute("CREATE TABLE t (a)")
        assert "no database of this service" in fail("restore", "other.db", "--yes")
    else:
        assert "Nothing was changed" in fail("restore", str(copy))
    assert listed() == before
    assert not list(Path("instance").glob("*.before-*"))


def test_a_backup_needs_a_directory(written: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    fail("backup", code=2)
    monkeypatch.setenv("COMMENTSVC_BACKUP_DIR", str(Path("mine").absolute()))
    assert "Written and proved: " in succeed("backup")
    Path("file").touch()
    assert "No backup was made" in fail("backup", "file/below")


def test_an_archive_needs_the_key_of_its_ledger(written: list[int]) -> None:
    """The database is lost, and only the folder of the export is left."""
    Path("safe").mkdir()
    succeed("export", "--output", "safe/all.zip")
    succeed("user", "erase", "email:ada@mail.example", "--yes")
    (ledger,) = Path("instance").glob("*.ledger")
    shutil.copy(ledger, "safe")
    key = ledger.with_suffix(".key")
    shutil.move(key, "key")
    shutil.rmtree("instance")
    succeed("init")
    sqlite3_run("UPDATE hash_key SET value = hex(randomblob(32))")
    sqlite3_run("DELETE FROM membership")
    sqlite3_run("DELETE FROM commenter")
    assert f"put {key.name} beside it" in fail("restore", "safe/all.zip")
    shutil.move("key", Path("safe") / key.name)
    with service_lock.held(Path("instance"), "127.0.0.1:8600"):
        assert "The service runs at 127.0.0.1:8600" in fail("restore", "safe/all.zip")
    assert "Erased or ended again" in succeed("restore", "safe/all.zip")
    assert "ada" not in listed().lower()
    assert "Wait for me" in listed()
    assert "Restored: nothing" in succeed("restore", "safe/all.zip")


def sqlite3_run(statement: str) -> None:
    with closing(sqlite3.connect(DATABASE)) as database, database:
        database.execute(statement)
