"""A very long comment is shown in part, until somebody wants to read it, with script and without."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Frame, Locator, Page, expect

from tests.support.browser import Blog, Service
from tests.support.frame_pages import LONG_READ, article, fits, in_view, inside, write

TEXTS = {
    "prose": "Some words of a very long comment. " * 400,
    "lines": "a\n\n" * 2000,
    "code": "```\n" + "a = b\n" * 900 + "```",
}
FOLDED = 480 + 200
"""Pixels: 30rem, and what stands around the text."""


def height(comment: Locator) -> float:
    box = comment.bounding_box()
    assert box is not None
    return box["height"]


def opened(page: Page, service: Service, blog: Blog) -> Frame:
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    return inside(page)


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("kind", TEXTS)
def test_a_long_comment_is_shown_in_part_until_a_reader_asks(
    page: Page, service: Service, blog: Blog, kind: str, width: int
) -> None:
    write(service, blog, TEXTS[kind], "Short")
    page.set_viewport_size({"width": width, "height": 700})
    thread = opened(page, service, blog)
    comment = thread.locator("#comment-1")
    assert height(comment) < FOLDED
    expect(thread.get_by_text("Read more")).to_have_count(1)
    fits(thread)
    thread.get_by_text("Read more").press("Enter")
    expect(thread.get_by_text("Read more")).to_be_hidden()
    assert height(comment) > 2 * FOLDED
    fits(thread)


def test_a_permalink_shows_all_of_a_long_comment(page: Page, service: Service, blog: Blog) -> None:
    ids = write(service, blog, *(f"{number} {TEXTS['prose']}" for number in range(3)))
    blog.pages["/"] = article(service, before=LONG_READ)
    page.goto(blog.url(f"/#comment-{ids[2]}"))
    in_view(page, ids[2])
    assert height(inside(page).locator(f"#comment-{ids[2]}")) > 2 * FOLDED
    assert height(inside(page).locator(f"#comment-{ids[1]}")) < FOLDED


def test_a_link_in_a_folded_comment_is_reached_by_keyboard(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, TEXTS["prose"] + " [the end](https://good.example/)")
    thread = opened(page, service, blog)
    thread.get_by_role("link", name="the end").focus()
    assert height(thread.locator("#comment-1")) > 2 * FOLDED
    fits(thread)


def test_without_script_a_long_comment_is_unfolded_too(
    chromium: Browser, service: Service, blog: Blog
) -> None:
    write(service, blog, TEXTS["prose"], TEXTS["lines"])
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    url = f"{service.url}/thread?url={quote(blog.url())}"
    page.goto(url)
    first, second = page.locator("#comment-1"), page.locator("#comment-2")
    assert height(first) < FOLDED
    first.get_by_text("Read more").click()
    assert height(first) > 2 * FOLDED
    page.goto(f"{url}#comment-2")
    assert height(second) > 2 * FOLDED
    expect(second.get_by_text("Read more")).to_be_hidden()
    context.close()
