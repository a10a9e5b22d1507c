"""`commentsvc admin list`."""

from __future__ import annotations

import json

from tests.support.cli_service import fail, succeed


class TestList:
    def test_who_has_a_role(self, written: list[int]) -> None:
        succeed("admin", "grant", "--site", "Blog", "--provider", "github", "--subject", "583231")
        succeed("admin", "invite", "--site", "Blog", "--role", "owner")
        lines = succeed("admin", "list").splitlines()
        assert [line.split()[:2] for line in lines] == [
            ["Blog", "owner"],
            ["Blog", "moderator"],
            ["Blog", "owner"],
        ]
        assert "this command line" in lines[0]
        assert "GitHub" in lines[1]
        assert "(invited)" in lines[2]
        items = json.loads(succeed("admin", "list", "--site", "Blog", "--json"))["items"]
        assert items[1]["providers"] == ["github"]
        assert items[2]["name"] is None
        assert items[2]["invited_until"].endswith("Z")
        assert "There is no site named" in fail("admin", "list", "--site", "Other")
