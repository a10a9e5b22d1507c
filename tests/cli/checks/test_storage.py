"""What is said of backups."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from commentsvc.cli.checks import storage
from commentsvc.cli.checks.finding import Finding
from commentsvc.config import Settings
from tests.conftest import environment

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = 3600


def finding(folder: Path, directory: Path | str) -> Finding:
    settings = Settings.from_env(environment(folder, COMMENTSVC_BACKUP_DIR=str(directory)))
    return storage.backups(settings, at=NOW)


def backup(folder: Path, name: str, hours: int, text: str = "data", mode: int = 0o600) -> Path:
    file = folder / name
    file.write_text(text)
    file.chmod(mode)
    os.utime(file, (NOW.timestamp() - hours * HOUR,) * 2)
    return file


def test_without_their_directory_nothing_is_known(tmp_path: Path) -> None:
    result = finding(tmp_path, "")
    assert (result.is_known, result.advice) == (False, "")


def test_the_newest_counts(tmp_path: Path) -> None:
    backup(tmp_path, "old", 2000, mode=0o644)
    (tmp_path / "folder").mkdir()
    newest = backup(tmp_path, "new", 30)
    assert finding(tmp_path, tmp_path) == Finding("Backups", f"{newest} is 30 hours old")


@pytest.mark.parametrize(
    ("hours", "text", "mode", "advice"),
    [
        (9 * 24, "data", 0o600, "too old"),
        (1, "", 0o600, "is empty"),
        (1, "data", 0o640, "chmod 600"),
    ],
)
def test_one_that_is_of_no_use_or_not_private_is_found(
    tmp_path: Path, hours: int, text: str, mode: int, advice: str
) -> None:
    backup(tmp_path, "comments.sqlite", hours, text, mode)
    assert advice in finding(tmp_path, tmp_path).advice


def test_no_backup_and_no_directory_are_found(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "There is none" in finding(tmp_path, tmp_path / "empty").advice
    assert "cannot be read" in finding(tmp_path, tmp_path / "missing").advice
