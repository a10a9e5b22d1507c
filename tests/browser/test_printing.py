"""A thread on paper: all that is loaded, and how many comments are elsewhere."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, fits, inside, write

LONG = "A paragraph of a comment that is longer than others.\n\n" * 90


def printed(page: Page, service: Service, blog: Blog) -> Frame:
    """Return the article's frame as it is laid out for paper."""
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    fits(thread)
    page.emulate_media(media="print")
    return thread


def until_whole(thread: Frame) -> None:
    """Wait until the frame is as high as what it holds; fails after a while."""
    thread.wait_for_function("document.body.getBoundingClientRect().height <= innerHeight + 1")


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_that_is_loaded_is_cut(page: Page, service: Service, blog: Blog, width: int) -> None:
    words = "Some words of a comment that takes a few lines of the page. " * 9
    write(service, blog, *(f"{words}{number}" for number in range(20)))
    page.set_viewport_size({"width": width, "height": 700})
    thread = printed(page, service, blog)
    on_screen = thread.evaluate("innerWidth")
    page.set_viewport_size({"width": 700, "height": 900})  # the paper's
    assert thread.evaluate("innerWidth") == on_screen
    until_whole(thread)
    expect(thread.locator("#reply")).to_be_hidden()
    expect(thread.get_by_text(" more at ")).to_be_hidden()


def test_a_folded_comment_is_printed_in_full(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, LONG)
    thread = printed(page, service, blog)
    expect(thread.locator(".fold")).to_be_hidden()
    assert thread.locator(".text").first.evaluate("(text) => text.scrollHeight - text.clientHeight") == 0
    until_whole(thread)


def test_a_line_says_how_many_more_there_are_and_where(page: Page, service: Service, blog: Blog) -> None:
    roots = write(service, blog, *(f"Comment {number}" for number in range(120)))
    write(service, blog, *(f"Reply {number}" for number in range(9)), parent=roots[0])
    thread = printed(page, service, blog)
    more = thread.get_by_text(" more at ")
    expect(more).to_have_text(f"74 more at {blog.url()}")
    expect(more).to_be_visible()
    until_whole(thread)
    page.emulate_media(media="screen")
    expect(more).to_be_hidden()
    for link, left in (("Show 4 more replies", 70), ("Show more comments", 20)):
        thread.get_by_role("link", name=link).click()
        expect(more).to_have_text(f"{left} more at {blog.url()}")
    thread.get_by_role("link", name="Show more comments").click()
    expect(thread.locator(".conversation")).to_have_count(120)
    page.emulate_media(media="print")
    expect(more).to_be_hidden()


def test_without_script_the_line_counts_what_the_page_has_not(
    chromium: Browser, service: Service, blog: Blog
) -> None:
    write(service, blog, *(f"Comment {number}" for number in range(60)))
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.emulate_media(media="print")
    page.goto(f"{service.url}/thread?url={quote(blog.url())}")
    expect(page.get_by_text(" more at ")).to_have_text(f"10 more at {blog.url()}")
    context.close()
