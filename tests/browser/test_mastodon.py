"""Answers from Mastodon among others in one tree, from the article's own HTML to what its readers see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from commentsvc.db.session import db
from commentsvc.domain.social import article_looks, links, mastodon, posts
from commentsvc.domain.social.social_post import SocialPost
from commentsvc.domain.threads import threads
from commentsvc.integrations import article_links
from commentsvc.integrations.mastodon_posts import MastodonReader
from commentsvc.models import SocialOrigin
from tests.support import frame_pages
from tests.support.accessibility import serious_violations
from tests.support.browser import Blog, Service
from tests.support.mastodon_server import HOST, OTHER_HOST, POST, MastodonServer, mastodon_server

LONG = "<p>" + "A sentence about swifts that fills a line. " * 6 + "</p>"
LINK = (
    '<p><span class="h-card"><a href="https://social.servers.example/@blog" class="u-url mention">@<span>blog</span>'
    '</a></span> See <a href="https://long.example/birds/swifts/2026"><span class="invisible">https://</span>'
    '<span class="ellipsis">long.example/birds/swi</span><span class="invisible">fts/2026</span></a> '
    '<a href="https://social.servers.example/tags/birds" class="mention hashtag">#<span>birds</span></a></p>'
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MastodonServer]:
    with mastodon_server(tmp_path) as server:
        for number in range(2, 20):
            host = OTHER_HOST if number % 3 else HOST
            name = ("Anna", "Ben :blobcat:", "משתמשת", "Dörte Weiß-Lüdenscheid", "Eve")[number % 5]
            server.write(
                str(number),
                to="1" if number % 4 == 2 else str(number - 1),
                author=f"user{number % 5}",
                host=host,
                content=(LONG, LINK, "<p>Short.</p>")[number % 3] + f"<p>Number {number}</p>",
                spoiler_text="Birds, and a dead one" if number == 5 else "",
                account={"display_name": name, "bot": number == 9},
            )
        yield server


def ask(service: Service, server: MastodonServer) -> None:
    """Do what the background work does, with a network that leads to the stand-in."""
    reader = MastodonReader(service.url, network=server.network)
    known = {SocialOrigin.MASTODON: mastodon.network(reader)}
    with service.app.app_context(), Session(db.engine) as session:
        now = datetime.now(UTC)
        article_looks.run_due(
            session,
            known,
            lambda url, origins: article_links.read(url, within=origins, allow_private=True),
            at=now,
        )
        links.run_due(session, known, at=now)


def add_others(service: Service, blog: Blog) -> None:
    """Store answers from Bluesky and from websites."""
    at = datetime.now(UTC) - timedelta(minutes=30)
    others = [
        SocialPost(
            origin=SocialOrigin.BLUESKY if number % 2 else SocialOrigin.WEBMENTION,
            key=f"https://page{number}.example/",
            url=f"https://page{number}.example/",
            parent_key=f"https://page{number - 2}.example/" if number % 3 == 0 else None,
            author_name=f"Writer {number}",
            author_handle=f"page{number}.example",
            author_url=f"https://page{number}.example/",
            picture_url=None,
            html=None,
            text=f"Answer {number} from another place. " * (number % 4 + 1),
            published_at=at + timedelta(minutes=number),
        )
        for number in range(1, 15)
    ]
    with service.writing() as session:
        address = threads.locate(session, url=blog.url("/article"), page_id="")
        thread = threads.find_or_create(session, address, title=None, at=at)
        posts.store(session, thread, others, datetime.now(UTC))
        session.commit()


def test_forty_comments_of_four_origins_are_one_conversation(
    page: Page, service: Service, blog: Blog, server: MastodonServer
) -> None:
    frame_pages.change(service, blog, mastodon=True, bluesky=True, webmention=True, count_foreign=True)
    frame_pages.write(service, blog, *(f"Comment {number}" for number in range(8)), path="/article")
    thread = f'<div id="comments" data-mastodon="{POST}"></div>'
    blog.pages["/article"] = frame_pages.article(service, thread=thread)
    ask(service, server)
    assert server.requests == []  # nobody has read the article
    page.goto(blog.url("/article"))
    expect(frame_pages.frame(page).locator("#count")).to_have_text("8 Comments")
    ask(service, server)
    assert server.requests == [f"{HOST}/api/v1/statuses/1", f"{HOST}/api/v1/statuses/1/context"]
    add_others(service, blog)
    page.goto(blog.url("/article"))
    frame = frame_pages.frame(page)
    expect(frame.locator("#count")).to_contain_text("40 Comments")
    expect(frame.get_by_role("link", name="via Mastodon").first).to_have_attribute(
        "href", f"https://{OTHER_HOST}/@user2/2"
    )
    expect(frame.get_by_text("12 likes and 3 boosts")).to_be_visible()
    warning = frame.get_by_text("Birds, and a dead one")
    expect(warning).to_be_visible()
    hidden = warning.locator("xpath=..").locator("p").first
    expect(hidden).to_be_hidden()
    warning.click()
    expect(hidden).to_be_visible()
    page.goto(f"{service.url}/thread?url={blog.url('/article')}")
    for width in (360, 1200):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
            assert serious_violations(page.main_frame) == []
