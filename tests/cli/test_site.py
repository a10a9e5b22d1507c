"""`commentsvc site edit` and `site remove`."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from commentsvc.cli import service
from commentsvc.db.session import Base
from commentsvc.domain.sites import sites
from commentsvc.domain.sites.site_settings import SiteSettings
from commentsvc.models import Comment, Commenter, Policy
from tests.support.cli_service import fail, succeed


def stored(name: str = "Blog") -> SiteSettings:
    with service.opened(service.settings()) as session:
        return SiteSettings.read(sites.by_name(session, name))


class TestEdit:
    def test_changes_what_is_mentioned_and_nothing_else(self, written: list[int]) -> None:
        before = stored()
        output = succeed("site", "edit", "Blog", "--policy", "hold_all", "--no-guests", "--no-comment-mail")
        assert output == "Saved 'Blog' for https://blog.example.\n"
        after = stored()
        assert (after.policy, after.guests, after.comment_mail) == (Policy.HOLD_ALL, False, False)
        assert (after.origins, after.heading, after.order) == (before.origins, before.heading, before.order)

    def test_origins_replace_the_former_ones(self, written: list[int]) -> None:
        new = ["https://www.blog.example", "https://blog.example"]
        succeed("site", "edit", "Blog", "--name", "My blog", "--origin", new[0], "--origin", new[1])
        assert sorted(stored("My blog").origins) == sorted(new)
        assert "There are: 'My blog'" in fail("site", "edit", "Blog", "--heading", "Say something")

    def test_zero_days_keep_articles_open(self, written: list[int]) -> None:
        succeed("site", "edit", "Blog", "--close-after-days", "30")
        assert stored().close_after_days == 30
        succeed("site", "edit", "Blog", "--close-after-days", "0")
        assert stored().close_after_days is None

    def test_the_rules_are_those_of_the_admin_view(self, written: list[int]) -> None:
        succeed("site", "add", "Other", "https://other.example")
        assert "already belongs" in fail("site", "edit", "Blog", "--origin", "https://other.example")
        assert "already a site named" in fail("site", "edit", "Blog", "--name", "Other")
        assert "enter a heading" in fail("site", "edit", "Blog", "--heading", " ")
        assert "origin" in fail("site", "edit", "Blog", "--origin", "blog")

    def test_previews_are_replaced_and_removed(self, written: list[int]) -> None:
        patterns = ["https://*.one.example", "https://*.two.example"]
        succeed("site", "edit", "Blog", "--preview", patterns[0], "--preview", patterns[1])
        assert (stored().previews, stored().preview_comments) == (patterns, False)
        succeed("site", "edit", "Blog", "--preview-comments")
        assert (stored().previews, stored().preview_comments) == (patterns, True)
        refused = fail("site", "edit", "Blog", "--preview", "https://*.github.io")
        assert "Anybody can have a name below github.io" in refused
        assert "entered under Previews" in fail("site", "edit", "Blog", "--origin", patterns[0])
        succeed("site", "edit", "Blog", "--preview", "")
        assert stored().previews == []

    @pytest.mark.parametrize("options", [[], ["--policy", "HOLD_ALL"], ["--close-after-days", "-1"]])
    def test_what_is_no_change_is_a_usage_error(self, written: list[int], options: list[str]) -> None:
        fail("site", "edit", "Blog", *options, code=2)


class TestRemove:
    def test_says_what_goes_and_asks(self, written: list[int]) -> None:
        assert "Nothing was changed." in fail("site", "remove", "Blog", typed="n\n")
        output = succeed("site", "remove", "Blog", typed="y\n")
        assert "Remove 'Blog' with 2 articles and 4 comments for good?" in output
        assert "There is no site yet." in succeed("site", "list")
        assert "There are no sites yet." in fail("site", "remove", "Blog", "--yes")

    def test_takes_everything_of_the_site_and_nothing_of_another(
        self, written: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("commentsvc.domain.maintenance.site_removal.BATCH", 1)
        succeed("site", "add", "Other", "https://other.example")
        succeed("admin", "invite", "--site", "Blog")
        succeed("comments", "spam", "--site", "Blog", "--by", "name:Bob", "--yes")
        succeed("site", "remove", "Blog", "--yes")
        with service.opened(service.settings()) as session:
            of_sites = [table for table in Base.metadata.sorted_tables if "site_id" in table.c]
            rows = {table.name: session.scalar(select(func.count()).select_from(table)) for table in of_sites}
            assert {name: number for name, number in rows.items() if number} == {"origin": 1, "membership": 1}
            assert session.scalar(select(func.count()).select_from(Comment)) == 0
            assert session.scalar(select(func.count()).select_from(Commenter)) == 1
        assert b"What do you think" not in Path("instance/comments.sqlite").read_bytes()
        succeed("site", "add", "Blog", "https://blog.example")
