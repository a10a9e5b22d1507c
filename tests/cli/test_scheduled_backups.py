"""The daily backup of the background work."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from commentsvc.cli import scheduled_backups
from commentsvc.cli.scheduled_backups import ScheduledBackups
from commentsvc.config import Settings
from commentsvc.domain.maintenance import backups


def wait_for_backup() -> None:
    """Wait until no thread makes a backup."""
    for thread in threading.enumerate():
        if thread.name == "backup":
            thread.join()


def test_two_processes_make_one_a_day(session: Session, settings: Settings, tmp_path: Path) -> None:
    session.commit()
    chosen = replace(settings, backup_dir=str(tmp_path / "backups"))
    both = [ScheduledBackups(session.get_bind().engine, chosen) for _ in range(2)]
    threads = [threading.Thread(target=each.make) for each in both for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (made,) = backups.in_directory(tmp_path / "backups")
    assert backups.last_proved(chosen) == made.at


def test_a_full_disk_is_said_and_tried_again_later(
    session: Session,
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session.commit()
    mine = ScheduledBackups(
        session.get_bind().engine, replace(settings, backup_dir=str(tmp_path / "backups"))
    )

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        mine.begin(session)
        wait_for_backup()
    assert caplog.text.count("No space left on device. Free some space there.") == 1
    mine.begin(session)
    wait_for_backup()
    assert backups.in_directory(tmp_path / "backups") == [], "not at once"
    late = time.monotonic() + scheduled_backups.AGAIN_AFTER + 1
    monkeypatch.setattr("time.monotonic", lambda: late)
    mine.begin(session)
    wait_for_backup()
    assert len(backups.in_directory(tmp_path / "backups")) == 1


def test_it_is_off_without_a_directory(
    session: Session, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.commit()
    monkeypatch.chdir(tmp_path)
    mine = ScheduledBackups(session.get_bind().engine, settings)
    mine.begin(session)
    mine.make()
    wait_for_backup()
    assert backups.in_directory(tmp_path) == []
