"""The form on a phone: fields that iOS does not zoom into, and buttons that stand in one row."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Frame, Locator, Page, expect

from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, fill_in, fits, inside, loaded_form, post, write

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
    thread.locator(".menu summary").click()
    thread.get_by_role("link", name="Report").click()
    expect(thread.get_by_label("Anything to add?")).to_be_visible()
    assert thread.evaluate("document.querySelectorAll('input, textarea').length") > 10
    assert thread.evaluate(SMALL_FIELDS) == []
    fits(thread)


def top(place: Locator) -> float:
    box = place.bounding_box()
    assert box
    return box["y"]


@pytest.mark.parametrize("width", [320, 360, 412, 480, 512, 540, 800])
def test_what_belongs_together_stands_in_one_row(
    page: Page, service: Service, blog: Blog, width: int
) -> None:
    (first,) = write(service, blog, "First!")
    write(service, blog, "A reply", parent=first)
    blog.pages["/"] = article(service)
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(blog.url())
    thread = inside(page)
    thread.get_by_label("Your comment").focus()
    post = thread.get_by_role("button", name="Post Comment")
    expect(post).to_be_visible()
    email, name = (thread.get_by_role("textbox", name=label) for label in ("Email", "Name"))
    assert top(email) == top(name)
    hint = thread.locator(".hint").bounding_box()
    button = post.bounding_box()
    assert hint
    assert button
    assert hint["y"] < button["y"] + button["height"]
    assert button["y"] < hint["y"] + hint["height"]
    fits(thread)
    thread.locator(".reply .reply-link").click()
    expect(thread.get_by_role("heading", name="Leave a Reply to Ada")).to_be_visible()
    fits(thread)


class TestTheFormOnAPhone:
    @pytest.fixture
    def service_variables(self) -> Callable[[str], dict[str, str]]:
        """Without ways to log in, as the form was measured before: 510 pixels."""
        return lambda _: {}

    @pytest.fixture
    def thread(self, page: Page, service: Service, blog: Blog) -> Frame:
        blog.pages["/"] = article(service)
        page.set_viewport_size({"width": 360, "height": 700})
        page.goto(blog.url())
        thread = inside(page)
        thread.get_by_label("Your comment").focus()
        loaded_form(thread)
        return thread

    def test_is_compact(self, thread: Frame) -> None:
        box = thread.locator("#reply").bounding_box()
        assert box
        assert box["height"] <= 440
        expect(thread.get_by_role("textbox", name="Website")).to_be_hidden()

    @pytest.mark.parametrize("how", ["pointer", "keyboard"])
    def test_unfolds_the_website_and_goes_there(self, thread: Frame, how: str) -> None:
        fold = thread.get_by_text("Add website")
        fold.click() if how == "pointer" else fold.press("Enter")
        expect(thread.get_by_role("textbox", name="Website")).to_be_focused()
        expect(fold).to_be_hidden()
        fits(thread)

    def test_unfolds_a_website_that_is_wrong(self, thread: Frame, complaints: list[str]) -> None:
        fill_in(thread, "Hello")
        thread.get_by_text("Add website").click()
        thread.get_by_role("textbox", name="Website").fill("javascript:alert(1)")
        thread.evaluate("document.querySelector('.website').open = false")
        post(thread)
        expect(thread.locator("#website-error")).to_have_text("Invalid website address")
        expect(thread.get_by_role("textbox", name="Website")).to_be_focused()
        complaints.clear()  # the browser tells every answer of 4xx

    def test_shows_a_website_that_is_remembered(self, thread: Frame, page: Page) -> None:
        fill_in(thread, "Hello")
        thread.get_by_text("Add website").click()
        thread.get_by_role("textbox", name="Website").fill("grace.example")
        thread.get_by_role("checkbox").check()
        post(thread)
        expect(thread.locator(".comment .text")).to_have_text("Hello")
        page.reload()
        again = inside(page)
        again.get_by_label("Your comment").focus()
        expect(again.get_by_role("textbox", name="Website")).to_have_value("grace.example")
        expect(again.get_by_role("textbox", name="Website")).to_be_visible()
