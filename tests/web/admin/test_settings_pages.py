"""The navigation, the embed code and the page of what cannot be undone."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.maintenance import site_removal
from commentsvc.domain.sites import sites
from commentsvc.models import Comment, Site, Status
from commentsvc.web.admin import danger
from tests.conftest import BASE_URL, BLOG
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.browser_client import BrowserClient

SECTIONS = ["Queue", "Articles", "People", "Statistics", "Activity", "Settings"]
PAGES = {
    "": "General",
    "/wording": "Wording",
    "/rules": "Rules",
    "/sign-in": "Sign-in",
    "/team": "Team",
    "/mail": "Mail",
    "/endpoints": "Webhooks and chat",
    "/embed-code": "Embed code",
    "/import": "Import",
    "/export": "Export",
    "/danger": "Danger",
}


@pytest.fixture
def it(app: Flask) -> Iterator[AdminQueue]:
    with queue_in(app) as queue:
        yield queue


def navigation(page: str) -> str:
    match = re.search(r'<nav class="side".*?</nav>', page, re.DOTALL)
    assert match
    return match[0]


def labels(page: str) -> list[str]:
    return re.findall(r"</svg><span>([A-Za-z]+)</span>", navigation(page))


class TestNavigation:
    def test_an_owner_has_six_sections_and_a_moderator_only_their_mail_for_settings(
        self, it: AdminQueue
    ) -> None:
        assert labels(it.owner.page("/admin")) == SECTIONS
        assert labels(it.moderator("Mo").page("/admin")) == [*SECTIONS[:-1], "Mail"]

    @pytest.mark.parametrize(("path", "label"), PAGES.items())
    def test_every_page_of_the_settings_is_named_there(self, it: AdminQueue, path: str, label: str) -> None:
        page = navigation(it.owner.page(f"/admin/sites/{it.site_id}{path}"))
        assert re.findall(r'aria-current="page">([A-Za-z -]+)</a>', page) == [label]
        assert re.findall(r"<li><a [^>]*>([A-Z][a-z -]+[a-z])</a>", page) == list(PAGES.values())

    @pytest.mark.parametrize(("old", "new"), [("glance", "statistics"), ("actions", "activity")])
    def test_old_addresses_lead_to_the_new_ones(self, it: AdminQueue, old: str, new: str) -> None:
        answer = it.owner.get(f"/admin/sites/{it.site_id}/{old}")
        assert answer.status_code == 301
        assert answer.headers["Location"].endswith(f"/admin/sites/{it.site_id}/{new}")

    def test_there_is_a_switcher_with_several_sites_only(self, it: AdminQueue) -> None:
        assert '<details class="sites">' not in it.owner.page("/admin")
        begin_write(it.session)
        owner = accounts.operator(it.session)
        sites.add(it.session, "Second", ["https://second.example"], owner_id=owner.id)
        it.session.commit()
        assert '<details class="sites">' in it.owner.page("/admin")


class TestEmbedCode:
    def test_names_the_service_and_an_article_of_the_site(self, it: AdminQueue) -> None:
        page = html.unescape(it.owner.page(f"/admin/sites/{it.site_id}/embed-code"))
        lines = (
            f'<div id="comments" style="min-height: 90vh"></div>\n<script async src="{BASE_URL}/embed.js">'
        )
        assert lines in page
        assert '<comment-thread load="click"></comment-thread>' in page
        assert f'<span data-comment-count="{BLOG}/article/"></span>' in page

    def test_is_the_owners(self, it: AdminQueue) -> None:
        assert it.moderator("Mo").get(f"/admin/sites/{it.site_id}/embed-code").status_code == 404


class TestDanger:
    def path(self, it: AdminQueue, rest: str = "") -> str:
        return f"/admin/sites/{it.site_id}/danger{rest}"

    def site_names(self, it: AdminQueue) -> list[str]:
        it.session.rollback()
        return list(it.session.scalars(select(Site.name)))

    def test_a_guests_address_leads_to_the_page_that_erases_them(self, it: AdminQueue) -> None:
        it.write("Hello")
        answer = it.owner.get(self.path(it, "?email=Ada@mail.example"))
        assert answer.status_code == 303
        assert "Erase <bdi>Ada</bdi>" in it.owner.page(answer.headers["Location"])

    @pytest.mark.parametrize("typed", ["nobody@mail.example", "<b>", "x" * 400])
    def test_an_unknown_address_is_said_beside_the_field(self, it: AdminQueue, typed: str) -> None:
        answer = it.owner.get(self.path(it, f"?email={typed}"))
        assert answer.status_code == 422
        assert re.search(r'id="email-error"[^>]*>No guest with this e-mail address', answer.text)

    @pytest.mark.parametrize("typed", ["", "blog", "Another"])
    def test_another_name_removes_nothing(self, it: AdminQueue, typed: str) -> None:
        comment = it.write("Hello", status=Status.APPROVED)
        answer = it.owner.post(self.path(it, "/remove"), {"name": typed})
        assert answer.status_code == 422
        assert "Please type the name exactly as it is: Blog" in answer.text
        assert self.site_names(it) == ["Blog"]
        assert it.statuses(comment) == [Status.APPROVED]

    def test_the_name_removes_the_site_and_the_next_page_says_so(self, it: AdminQueue) -> None:
        it.held(3)
        page = it.owner.page(self.path(it))
        assert "with all it has (1 article, 3 comments)" in page
        answer = it.owner.post(self.path(it, "/remove"), {"name": " Blog "})
        assert answer.status_code == 303
        assert "Removed “Blog” with 3 comments." in it.owner.page("/admin")
        assert self.site_names(it) == []
        assert it.statuses() == []

    def test_a_large_site_is_removed_in_several_requests(
        self, it: AdminQueue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(site_removal, "BATCH", 2)
        monkeypatch.setattr(danger, "AT_ONCE", 2)
        it.held(5)
        sent, pages = {"name": "Blog"}, 0
        while (answer := it.owner.post(self.path(it, "/remove"), sent)).status_code == 200:
            pages += 1
            sent = dict(re.findall(r'<input type="hidden" name="(name|done)" value="([^"]*)">', answer.text))
            it.session.rollback()
            left = len(it.session.scalars(select(Comment.id)).all())
            assert f"<h1>{5 - left} comments so far</h1>" in answer.text
            assert "cannot be undone" in answer.text
        assert (answer.status_code, pages) == (303, 2)
        assert "Removed “Blog” with 5 comments." in it.owner.page("/admin")
        assert self.site_names(it) == []

    def test_nobody_else_can(self, app: Flask, it: AdminQueue) -> None:
        moderator = it.moderator("Mo")
        stranger = BrowserClient(app).sign_in(it.session, it.person("Nobody"))
        for client in (moderator, stranger):
            assert client.get(self.path(it)).status_code == 404
            assert client.post(self.path(it, "/remove"), {"name": "Blog"}).status_code == 404
        assert it.owner.post(self.path(it, "/remove"), {"name": "Blog"}, token=None).status_code == 400
        foreign = it.owner.post(self.path(it, "/remove"), {"name": "Blog"}, origin=BLOG)
        assert foreign.status_code == 403
        assert self.site_names(it) == ["Blog"]


def test_moderators_see_how_many_like_a_comment(it: AdminQueue) -> None:
    liked, both, plain = (it.write(text, status=Status.APPROVED) for text in ("Liked", "Both", "Plain"))
    for comment_id, ups, downs in ((liked, 1, 0), (both, 1200, 3)):
        begin_write(it.session)
        comment = it.session.get_one(Comment, comment_id)
        comment.ups, comment.downs = ups, downs
        it.session.commit()
    pages = [it.owner.page(f"/admin/comments/{number}") for number in (liked, both, plain)]
    assert "· 1 like<" in pages[0]
    assert "· 1,200 up, 3 down<" in pages[1]
    assert not re.search(r"\d likes?<|\d up,", pages[2])
