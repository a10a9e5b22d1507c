"""`commentsvc token`."""

from __future__ import annotations

import json

from tests.support.cli_service import fail, succeed


def test_a_token_is_created_listed_and_revoked(written: list[int]) -> None:
    assert "There is no token yet" in succeed("token", "list")
    text = succeed("token", "create", "Report", "--scope", "read", "--scope", "export", "--days", "0").strip()
    assert text.startswith("csvc_1_")
    listed = succeed("token", "list")
    assert "Report" in listed
    assert text not in listed
    (item,) = json.loads(succeed("token", "list", "--site", "Blog", "--json"))["items"]
    assert (item["scopes"], item["sites"], item["expires_at"]) == (["read", "export"], ["Blog"], None)
    assert "Revoked" in succeed("token", "revoke", "1")
    assert "There is no token 1." in fail("token", "revoke", "1")
    assert "Please enter a name" in fail("token", "create", " ", "--scope", "read")
    assert "no site named" in fail("token", "create", "Report", "--scope", "read", "--site", "Other")
