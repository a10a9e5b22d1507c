"""What is said of backups, and of the ledger beside them."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from commentsvc.cli.checks import storage
from commentsvc.cli.checks.finding import Finding
from commentsvc.config import Settings
from commentsvc.db.session import begin_write
from commentsvc.domain.ledger import entries, files, upkeep
from commentsvc.domain.maintenance import backups
from commentsvc.models import LedgerKind, now
from tests.conftest import environment

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def finding(folder: Path, directory: Path | str) -> Finding:
    settings = Settings.from_env(environment(folder, COMMENTSVC_BACKUP_DIR=str(directory)))
    return storage.proved_backups(settings, at=NOW)


def backup(folder: Path, hours: int, mode: int = 0o600) -> Path:
    file = folder / backups.name_of("sqlite", NOW - timedelta(hours=hours))
    file.write_text("data")
    file.chmod(mode)
    return file


def test_without_their_directory_they_are_off(tmp_path: Path) -> None:
    result = finding(tmp_path, "")
    assert (result.is_known, result.advice) == (False, "")
    assert "are off: COMMENTSVC_BACKUP_DIR" in result.state


def test_the_newest_counts(tmp_path: Path) -> None:
    backup(tmp_path, 2000, mode=0o644)
    (tmp_path / "folder").mkdir()
    newest = backup(tmp_path, 30)
    assert finding(tmp_path, tmp_path) == Finding("Backups", f"{newest} is proved and 30 hours old")
    settings = Settings.from_env(environment(tmp_path, COMMENTSVC_BACKUP_DIR=str(tmp_path)))
    assert backups.last_proved(settings) == NOW - timedelta(hours=30)


@pytest.mark.parametrize(("hours", "mode", "advice"), [(49, 0o600, "too old"), (1, 0o640, "chmod 600")])
def test_one_that_is_old_or_not_private_is_found(tmp_path: Path, hours: int, mode: int, advice: str) -> None:
    backup(tmp_path, hours, mode)
    assert advice in finding(tmp_path, tmp_path).advice


def test_no_proved_backup_and_no_directory_are_found(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "comments.dump").write_text("Somebody's own")
    assert "There is none yet" in finding(tmp_path, tmp_path / "empty").advice
    assert "cannot be read" in finding(tmp_path, tmp_path / "missing").advice
    settings = Settings.from_env(environment(tmp_path, COMMENTSVC_BACKUP_DIR=str(tmp_path / "missing")))
    assert backups.last_proved(settings) is None


def test_an_erasure_that_the_ledger_lacks_is_found_and_added_later(
    session: Session, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """While the disk takes nothing, as here where a folder is in its place, the erasure is done all the same."""
    assert storage.ledger(session, settings).advice == ""
    entries.record(session, LedgerKind.COMMENT, ["first"], at=now())
    session.commit()
    (path,) = files.in_directory(settings.ledger_dir)
    kept = path.read_bytes()
    path.unlink()
    path.mkdir()
    begin_write(session)
    entries.record(session, LedgerKind.COMMENT, ["second"])
    session.commit()
    assert "cannot be written" in caplog.text
    assert len(entries.stored(session)) == 2
    assert "may bring back" in storage.ledger(session, settings).advice
    shutil.rmtree(path)
    path.write_bytes(kept[:-10])  # as after a crash in the middle of a line
    assert "lacks 2" in storage.ledger(session, settings).state
    upkeep.bring_up_to_date(session, settings.ledger_dir)
    assert storage.ledger(session, settings).advice == ""
    assert files.read(path) == entries.stored(session)


def test_what_was_rolled_back_is_not_in_the_ledger(session: Session, settings: Settings) -> None:
    entries.record(session, LedgerKind.COMMENT, ["rolled back"])
    session.rollback()
    begin_write(session)
    session.commit()
    assert files.in_directory(settings.ledger_dir) == []


def test_old_entries_are_dropped_unless_a_backup_needs_them(session: Session, settings: Settings) -> None:
    at = now()
    for days in (200, 100, 10):
        entries.record(session, LedgerKind.COMMENT, [f"{days}"], at=at - timedelta(days=days))
    session.commit()
    folder = settings.ledger_dir
    (path,) = files.in_directory(folder)
    for oldest, left in ((timedelta(days=300), 3), (timedelta(days=150), 2), (timedelta(days=30), 1)):
        upkeep.drop_old(session, folder, oldest_backup=at - oldest, at=at)
        assert len(files.read(path)) == len(entries.stored(session)) == left
    assert path.stat().st_mode & 0o077 == 0
