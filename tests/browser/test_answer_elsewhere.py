"""A reader answers the article's post on Mastodon from their own server."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import BrowserContext, Locator, Page, expect

from commentsvc.domain.social import links
from commentsvc.domain.threads import threads
from commentsvc.models import FoundBy, Site, SocialOrigin
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, change, frame, inside, loaded_module

TOOT = "https://social.example/@ada/1"


def line(page: Page) -> Locator:
    """What is below the form."""
    return frame(page).locator(".answer-there")


def opened(context: BrowserContext, page: Page, button: str, role: str) -> str:
    """Click something that opens a new window, and return its address."""
    with context.expect_page() as window:
        line(page).get_by_role(role, name=button).click()  # type: ignore[arg-type]
    window.value.wait_for_load_state()
    url = window.value.url
    window.value.close()
    return url


def test_answering_from_ones_own_server(
    context: BrowserContext, page: Page, service: Service, blog: Blog
) -> None:
    change(service, blog, mastodon=True)
    with service.writing() as session:
        address = threads.address_on(session.get_one(Site, blog.site_id), blog.url())
        thread = threads.find_or_create(session, address, title=None, at=datetime.now(UTC))
        links.connect(session, thread, SocialOrigin.MASTODON, TOOT, by=FoundBy.ADMIN, at=datetime.now(UTC))
        session.commit()
    context.route("https://*.example/**", lambda route: route.fulfill(body="<!doctype html>"))
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    loaded_module(inside(page), "answer_elsewhere.js")
    server = frame(page).get_by_label("Your Mastodon server")
    expect(server).to_be_hidden()
    line(page).get_by_role("link", name="Mastodon").click()
    expect(server).to_be_focused()
    server.fill("me at home")
    frame(page).get_by_role("button", name="Answer there").click()
    expect(server).to_be_focused()  # the browser says what is wrong
    assert len(context.pages) == 1
    server.fill(" @me@home.example ")
    assert opened(context, page, "Answer there", "button") == (
        "https://home.example/authorize_interaction?uri=https%3A%2F%2Fsocial.example%2F%40ada%2F1"
    )
    expect(server).to_be_hidden()
    # The next time it leads there at once.
    page.reload()
    loaded_module(inside(page), "answer_elsewhere.js")
    expect(frame(page).get_by_text("Your server is home.example.")).to_be_visible()
    assert opened(context, page, "Mastodon", "link").startswith("https://home.example/authorize_interaction")
    for typed, host in (
        ("https://other.example/@me", "other.example"),
        ("me@third.example", "third.example"),
        ("fourth.example/", "fourth.example"),
    ):
        frame(page).get_by_role("button", name="Change").click()
        server.fill(typed)
        url = urlsplit(opened(context, page, "Answer there", "button"))
        assert (url.netloc, parse_qs(url.query)) == (host, {"uri": [TOOT]})
