"""The form on a phone: fields that iOS does not zoom into, and buttons that stand in one row."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, fits, inside, write

SMALL_FIELDS = """() => [...document.querySelectorAll(":is(input, textarea, select):not([tabindex='-1'])")]
    .filter((field) => !["checkbox", "hidden", "radio"].includes(field.type))
    .map((field) => [field.name, parseFloat(getComputedStyle(field).fontSize)])
    .filter(([, size]) => size < 16)"""


@pytest.fixture
def service_variables() -> Callable[[str], dict[str, str]]:
    """A way to log in that asks for a server."""
    return lambda _: {"COMMENTSVC_MASTODON": "on"}


def test_no_field_is_so_small_that_a_phone_enlarges_the_page(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service, style="font-size: 12px")
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto(blog.url())
    thread = inside(page)
    thread.get_by_label("Your comment").focus()
    thread.get_by_label("Log in with Mastodon").click()
    expect(thread.get_by_label("Your server")).to_be_visible()
    thread.get_by_role("link", name="Report").click()
    expect(thread.get_by_label("Anything to add?")).to_be_visible()
    assert thread.evaluate("document.querySelectorAll('input, textarea').length") > 10
    assert thread.evaluate(SMALL_FIELDS) == []
    fits(thread)


@pytest.mark.parametrize("width", [320, 360, 412, 480, 512, 540, 800])
def test_the_buttons_of_the_form_stand_in_one_row(
    page: Page, service: Service, blog: Blog, width: int
) -> None:
    (first,) = write(service, blog, "First!")
    write(service, blog, "A reply", parent=first)
    blog.pages["/"] = article(service)
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(blog.url())
    thread = inside(page)
    for begin in (thread.get_by_label("Your comment").focus, thread.locator(".reply .reply-link").click):
        begin()
        post = thread.get_by_role("button", name="Post Comment")
        expect(post).to_be_visible()
        boxes = [button.bounding_box() for button in (thread.get_by_role("button", name="Preview"), post)]
        assert len({box["y"] for box in boxes if box}) == 1
        fits(thread)
