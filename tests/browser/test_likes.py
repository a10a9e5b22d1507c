"""Likes, votes and collapsed conversations in the frame, in a real browser."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from commentsvc.models import Likes, Order
from tests.support.accessibility import serious_violations
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, change, fits, inside, stored, write

SHOTS = os.environ.get("SHOTS")


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(300)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def like(comment: Locator, name: str = "Like") -> Locator:
    return comment.get_by_role("button", name=name).first


def test_a_like_shows_at_once_stays_and_is_taken_back(page: Page, service: Service, blog: Blog) -> None:
    change(service, blog, likes=Likes.LIKES, order=Order.BEST)
    number, _ = write(service, blog, "The first", "The second")
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    comment = thread.locator(f"#comment-{number}")
    expect(like(comment)).to_have_attribute("aria-pressed", "false")
    assert thread.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        like(comment).press("Space")
        expect(like(comment)).to_have_attribute("aria-pressed", "true")
    assert answer.value.status == 200
    expect(like(comment)).to_have_text("Like 1")
    assert stored(service)[0].ups == 1
    page.reload()  # the page in the cache does not have it yet
    comment = inside(page).locator(f"#comment-{number}")
    expect(like(comment)).to_have_attribute("aria-pressed", "true")
    expect(like(comment)).to_have_text("Like 1")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        like(comment).click()
    expect(like(comment)).to_have_attribute("aria-pressed", "false")
    expect(like(comment)).to_have_text("Like")
    assert stored(service)[0].ups == 0


def test_a_conversation_is_collapsed_by_its_line_and_a_link_opens_it(
    page: Page, service: Service, blog: Blog
) -> None:
    change(service, blog, likes=Likes.VOTES)
    (root,) = write(service, blog, "The root")
    replies = write(service, blog, *(f"Reply {number}" for number in range(7)), parent=root)
    write(service, blog, "Another root")
    blog.pages["/"] = article(service)
    for width in (1200, 360):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(blog.url())
        thread = inside(page)
        line = thread.get_by_role("button", name="Hide 7 replies")
        expect(line).to_have_attribute("aria-expanded", "true")
        assert serious_violations(thread) == []
        line.press("Enter")
        hidden = thread.get_by_role("button", name="7 replies hidden")
        expect(hidden).to_have_attribute("aria-expanded", "false")
        expect(hidden).to_be_focused()
        expect(thread.locator("#status")).to_have_text("7 replies hidden")
        expect(thread.locator(f"#comment-{replies[0]}")).to_be_hidden()
        fits(thread)
        shoot(page, f"collapsed-{width}")
        assert serious_violations(thread) == []
        hidden.click()
        expect(thread.locator(f"#comment-{replies[0]}")).to_be_visible()
        line.click(position={"x": 12, "y": 60})
        expect(hidden).to_be_visible()
        page.evaluate(f"location.hash = 'comment-c{replies[1]}'")
        expect(thread.locator(f"#comment-{replies[1]}")).to_be_visible()
        expect(line).to_have_attribute("aria-expanded", "true")
    shoot(page, "open-360")
