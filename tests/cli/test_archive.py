"""The commands export, archive verify and restore."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from commentsvc.domain.transfer.export_formats import FORMATS, ExportFormat
from tests.support.cli_service import fail, succeed
from tests.support.documents import ROOT


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)
def test_the_ending_means_the_format_and_the_loss_is_said(each: ExportFormat, written: list[int]) -> None:
    path = Path(f"out{each.ending}")
    printed = succeed("export", "--site", "Blog", "--output", str(path))
    assert each.lost in printed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes()
    assert each.lost in (ROOT / "docs" / "moving.md").read_text()
    assert [file.name for file in Path().glob(".out*")] == []


def test_an_archive_is_verified_without_a_database(
    written: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    succeed("export", "--output", "all.zip")
    monkeypatch.setenv("COMMENTSVC_DATA_DIR", "/nonexistent")
    printed = succeed("archive", "verify", "all.zip")
    assert "all checksums fit" in printed
    Path("all.zip").write_bytes(Path("all.zip").read_bytes()[:-100])
    assert "not a whole archive" in fail("archive", "verify", "all.zip")


def test_restoring_twice_adds_nothing(written: list[int]) -> None:
    succeed("export", "--output", "all.zip")
    assert "Restored: nothing." in succeed("restore", "all.zip")
    succeed("comments", "spam", str(written[2]), "--yes")
    succeed("comments", "delete", str(written[2]), "--yes")
    assert "1 comment" in succeed("restore", "all.zip")
    assert "Restored: nothing." in succeed("restore", "all.zip")


def test_an_unknown_format_is_refused(written: list[int]) -> None:
    fail("export", "--site", "Blog", "--output", "a.txt", code=2)
    fail("export", "--site", "Blog", "--output", "a.json", "--format", "yaml", code=2)
    assert not list(Path().glob("a.*"))
