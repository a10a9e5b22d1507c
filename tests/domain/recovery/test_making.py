"""A backup is consistent while people write, private, and gets its name only when it is proved."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain.ledger import entries, upkeep
from commentsvc.domain.maintenance import backups
from commentsvc.domain.maintenance.backups import Backup
from commentsvc.domain.recovery import archive_copy, making, sqlite_copy
from commentsvc.errors import BackupError, BackupRunningError
from commentsvc.models import Comment, LedgerKind, Note, Site
from tests.support import archives

AT = datetime(2026, 11, 30, 11, 2, 3, tzinfo=UTC)
both_engines = pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


@both_engines
def test_a_backup_is_private_and_named_by_time_and_engine(session: Session, tmp_path: Path) -> None:
    archives.fill(session)
    folder = tmp_path / "new" / "backups"
    first = making.make(session.get_bind().engine, folder, at=AT)
    second = making.make(session.get_bind().engine, folder, at=AT)
    assert names(folder) == [first.name, second.name]
    assert backups.time_of(first) == AT
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    if first.name.endswith("sqlite.db"):
        with closing(sqlite3.connect(first)) as copy:
            expected = session.scalar(select(func.count()).select_from(Comment))
            assert copy.execute("SELECT count(*) FROM comment").fetchone() == (expected,)
    else:
        assert archives.contents(first)["comment"]


def test_a_backup_is_of_one_moment_while_others_write(session: Session, site: Site, tmp_path: Path) -> None:
    """Each transaction writes a pair of notes; a backup never has half of one."""
    session.commit()
    engine, site_id, written, stopped = (
        session.get_bind().engine,
        site.id,
        threading.Event(),
        threading.Event(),
    )

    def write() -> None:
        with Session(engine) as mine:
            while not stopped.is_set():
                begin_write(mine)
                mine.add_all([Note(site_id=site_id, about="email:a@b.example", text="x") for _ in range(2)])
                mine.commit()
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(30)
        paths = [making.make(engine, tmp_path / "backups", at=AT) for _ in range(3)]
    finally:
        stopped.set()
        writer.join()
    for path in paths:
        with closing(sqlite3.connect(path)) as copy:
            (count,) = copy.execute("SELECT count(*) FROM note").fetchone()
        assert count
        assert count % 2 == 0


def test_a_copy_that_differs_is_not_proved(session: Session, site: Site, tmp_path: Path) -> None:
    session.commit()
    source = Path(str(session.get_bind().engine.url.database))
    copy = tmp_path / "copy"
    contents = sqlite_copy.write(source, copy)
    sqlite_copy.prove(copy, contents)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE site SET heading = 'Another'")
        connection.commit()
    with pytest.raises(BackupError, match="site"):
        sqlite_copy.prove(copy, contents)
    copy.write_bytes(copy.read_bytes()[:-4096])
    with pytest.raises(BackupError, match="fault"):
        sqlite_copy.prove(copy, contents)


def test_an_archive_that_does_not_restore_is_not_proved(session: Session, tmp_path: Path) -> None:
    archives.fill(session)
    path, scratch = tmp_path / "a.zip", tmp_path / "scratch"
    scratch.mkdir()
    archive_copy.write(session, path, at=AT)
    broken = archives.with_records(path, tmp_path / "b.zip", "thread", lambda records: records[1:])
    with pytest.raises(BackupError, match="cannot be restored"):
        archive_copy.prove(broken, scratch, at=AT)
    assert zipfile.is_zipfile(path)


@both_engines
def test_a_failed_backup_leaves_the_earlier_ones(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.commit()
    engine, folder = session.get_bind().engine, tmp_path / "backups"
    first = making.make(engine, folder, at=AT)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(BackupError, match="No space left on device"):
            making.make(engine, folder, at=AT)
    assert names(folder) == [first.name]


def test_two_at_once_make_one(session: Session, tmp_path: Path) -> None:
    session.commit()
    with making._alone(tmp_path, wait=0), pytest.raises(BackupRunningError):
        making.make_daily(session.get_bind().engine, tmp_path, at=AT)
    left = tmp_path / ".commentsvc-backup-killed"
    left.mkdir()
    (left / "backup").write_text("half")
    making.make(session.get_bind().engine, tmp_path, at=AT)
    assert not left.exists()


def test_seven_days_and_four_weeks_are_kept() -> None:
    newest = datetime(2026, 11, 29, 12, tzinfo=UTC)  # a Sunday
    made = [
        Backup(
            Path(backups.name_of("sqlite", newest - timedelta(hours=12 * number))),
            newest - timedelta(hours=12 * number),
        )
        for number in range(120)
    ]
    gone = backups.superfluous(made)
    kept = [backup.at for backup in made if backup not in gone]
    days = [newest - timedelta(days=number) for number in (0, 1, 2, 3, 4, 5, 6, 7, 14, 21)]
    assert kept == days
    assert backups.superfluous(made[50:51]) == []


def test_the_daily_backup_is_made_once_and_leaves_files_that_are_not_ours(
    session: Session, tmp_path: Path
) -> None:
    session.commit()
    folder, engine = tmp_path / "backups", session.get_bind().engine
    folder.mkdir()
    others = [
        "comments.sqlite",
        "commentsvc-20200101T000000Z-sqlite.db.gz",
        "commentsvc-99999999T999999Z-sqlite.db",
    ]
    for name in others:
        (folder / name).touch()
    for day in range(1, 29):
        (folder / backups.name_of("postgresql", datetime(2026, 1, day, tzinfo=UTC))).touch()
    made = making.make_daily(engine, folder, at=AT)
    assert made is not None
    left = names(folder)
    assert {*others, made.name} <= set(left)
    assert len(left) == len(others) + 1 + 6 + 1
    assert making.make_daily(engine, folder, at=AT + timedelta(hours=12)) is None
    assert names(folder) == left
    assert making.make_daily(engine, folder, at=AT + timedelta(hours=13)) is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_belongs_to_the_owner_of_the_directory(
    session: Session, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    entries.record(session, LedgerKind.COMMENT, ["x"])
    session.commit()
    making.make(session.get_bind().engine, folder, at=AT)
    upkeep.bring_up_to_date(session, folder)
    paths = list(folder.iterdir())
    assert len(paths) == 4, "the backup, the lock, the ledger and its key"
    assert {(path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) for path in paths} == {(12345, 0o600)}
