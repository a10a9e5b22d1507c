"""`commentsvc stats`."""

from __future__ import annotations

import json

import pytest

from tests.support.cli_service import succeed
from tests.support.comment_builders import NOON


class TestStats:
    def test_a_site_without_comments_of_late(self, written: list[int]) -> None:
        output = succeed("stats")
        assert output.startswith("Blog, the last 30 days\n")
        assert "nobody had to wait" in output

    def test_every_site_or_one(self, written: list[int]) -> None:
        succeed("site", "add", "Other", "https://other.example")
        assert [item["site"] for item in json.loads(succeed("stats", "--json"))["items"]] == ["Blog", "Other"]
        (item,) = json.loads(succeed("stats", "--site", "Other", "--json"))["items"]
        assert len(item["days"]) == 30
        assert item["totals"] == {"approved": 0, "held": 0, "spam": 0, "trash": 0}
        assert set(item["days"][0]) == {"date", "approved", "held", "spam", "trash"}

    def test_figures_are_those_of_the_admin_view(
        self, written: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("commentsvc.cli.stats.now", lambda: NOON)
        output = succeed("stats")
        assert "Comments           4: 2 approved, 1 held, 1 spam, 0 in the trash" in output
        assert "3  https://blog.example/article/" in output
