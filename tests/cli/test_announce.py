"""`commentsvc announce`."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from commentsvc.cli import service
from commentsvc.models import Announcement
from tests.support.cli_service import fail, succeed


class TestAnnounce:
    def test_an_article_is_announced_under_the_title_that_is_given(self, written: list[int]) -> None:
        succeed("site", "edit", "Blog", "--post-mail", "--feed-url", "https://blog.example/feed.xml")
        output = succeed("announce", "https://blog.example/new/?utm_source=x", "--title", "A new\narticle")
        assert output == "Announced 'A new article' to 0 subscribers.\n"
        with service.opened(service.settings()) as session:
            row = session.scalars(select(Announcement)).one()
            assert row.articles == [{"title": "A new article", "url": "https://blog.example/new/"}]

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("https://elsewhere.example/a/", "elsewhere.example"),
            ("no address", "address"),
            ("https://blog.example/a/", "--post-mail"),
        ],
    )
    def test_a_wrong_address_or_a_site_that_does_not_offer_it_is_refused(
        self, written: list[int], url: str, words: str
    ) -> None:
        assert words in fail("announce", url, "--title", "A")
