"""`commentsvc settings check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli_service import fail, succeed


class TestSettingsCheck:
    def test_needs_no_database(self, written: list[int]) -> None:
        Path("instance/comments.sqlite").unlink()
        assert "have no faults" in succeed("settings", "check")

    def test_names_every_fault(self, written: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COMMENTSVC_CACHE_MB", "many")
        monkeypatch.setenv("COMMENTSVC_GITHUB_CLIENT_ID", "a")
        complaint = fail("settings", "check")
        assert "COMMENTSVC_CACHE_MB" in complaint
        assert "COMMENTSVC_GITHUB_CLIENT_SECRET is not set" in complaint

    def test_finds_faults_of_providers(self, written: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
        for part in ("ID", "SECRET"):
            monkeypatch.setenv(f"COMMENTSVC_MYSPACE_CLIENT_{part}", "a")
        assert "No provider is called 'myspace'" in fail("settings", "check")
