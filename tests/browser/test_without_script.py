"""Reading and writing in a browser that runs no script: on the thread's own page, and on the frame's."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from commentsvc.models import Order, Policy
from tests.support.browser import Blog, Service
from tests.support.frame_pages import change, fill_in, held, post, stored, write


@pytest.fixture(params=["/thread", "/embed"])
def door(request: pytest.FixtureRequest) -> str:
    """The two addresses of a thread."""
    return str(request.param)


@pytest.fixture
def plain(chromium: Browser, service: Service, blog: Blog, door: str) -> Iterator[Page]:
    """A page without script, at the empty thread."""
    context = chromium.new_context(locale="en-GB", java_script_enabled=False)
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(f"{service.url}{door}?url={quote(blog.url())}")
    yield page
    context.close()


def texts(page: Page, *expected: str) -> None:
    expect(page.locator(".comment .text")).to_have_text(list(expected))


def test_the_form_stands_open(plain: Page) -> None:
    expect(plain.get_by_role("button", name="Post Comment")).to_be_visible()
    expect(plain.get_by_role("textbox", name="Name")).to_be_visible()
    expect(plain.get_by_role("textbox", name="Website")).to_be_visible()
    expect(plain.get_by_role("tablist")).to_be_hidden()
    expect(plain.get_by_role("checkbox")).to_be_hidden()


def test_a_preview_comes_back_with_the_form(plain: Page, service: Service) -> None:
    fill_in(plain, "Some **bold** words")
    plain.get_by_role("button", name="Preview").click()
    expect(plain.locator("#preview strong")).to_have_text("bold")
    expect(plain.get_by_label("Your comment")).to_have_value("Some **bold** words")
    assert stored(service) == []
    post(plain)
    texts(plain, "Some bold words")


def test_enter_in_a_field_posts_and_shows_no_preview(plain: Page, service: Service) -> None:
    fill_in(plain, "Entered")
    plain.get_by_role("textbox", name="Name").press("Enter")
    texts(plain, "Entered")
    assert len(stored(service)) == 1


def test_what_was_posted_is_not_below_the_notice_that_says_so(
    plain: Page, service: Service, blog: Blog
) -> None:
    change(service, blog, order=Order.NEWEST)
    for number in range(12):
        write(service, blog, f"Number {number}")
    plain.set_viewport_size({"width": 360, "height": 700})
    plain.reload()
    fill_in(plain, "Without any script")
    post(plain)
    notice = plain.locator(".notice").bounding_box()
    comment = plain.locator(".comment", has_text="Without any script").bounding_box()
    assert notice is not None
    assert comment is not None
    assert notice["y"] + notice["height"] <= comment["y"] < 700


def test_a_comment_is_reported_by_its_menu(plain: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "Buy now")
    plain.reload()
    expect(plain.get_by_role("link", name="Report")).to_be_hidden()
    plain.locator(".menu summary").press("Enter")
    plain.get_by_role("link", name="Report").click()
    plain.get_by_label("It is spam or advertising").check()
    plain.get_by_role("button", name="Report").click()
    expect(plain.get_by_text("Thank you. The moderators will look at this comment.")).to_be_visible()


def test_a_comment_is_read_and_posted(plain: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First!")
    plain.reload()
    texts(plain, "First!")
    expect(plain.locator("time")).to_contain_text("20")
    fill_in(plain, "Without any script")
    plain.get_by_role("textbox", name="Website").fill("grace.example")
    post(plain)
    texts(plain, "First!", "Without any script")
    expect(plain.get_by_role("heading", name="2 Comments")).to_be_visible()
    assert plain.url.endswith("#comment-2")
    expect(plain.locator("#comment-2")).to_be_in_viewport()
    expect(plain.get_by_text("Your comment is posted.")).to_be_in_viewport()
    plain.reload()
    assert len(stored(service)) == 2


def test_a_comment_on_a_later_page_is_shown_to_its_author_at_once(
    plain: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, *(f"Comment {number}" for number in range(60)))
    fill_in(plain, "The last of all")
    post(plain)
    expect(plain.locator("#comment-61")).to_contain_text("The last of all")
    expect(plain.locator("#comment-61")).to_be_in_viewport()
    expect(plain.get_by_text("Your comment is posted.")).to_be_in_viewport()


def test_a_comment_is_answered(plain: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "One", "Two")
    plain.reload()
    plain.get_by_role("link", name="Reply to Ada").first.click()
    expect(plain.get_by_role("heading", name="Leave a Reply to Ada")).to_be_visible()
    plain.get_by_role("link", name="Cancel reply").click()
    expect(plain.get_by_role("heading", name="Leave a Reply", exact=True)).to_be_visible()
    plain.get_by_role("link", name="Reply to Ada").first.click()
    expect(plain.get_by_role("heading", name="Leave a Reply to Ada")).to_be_visible()
    fill_in(plain, "An answer")
    post(plain)
    texts(plain, "One", "An answer", "Two")
    assert stored(service)[2].parent_id == 1


def test_faults_stand_beside_their_fields_and_the_text_stays(
    plain: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "One")
    plain.reload()
    plain.get_by_role("link", name="Reply to Ada").click()
    expect(plain.get_by_role("heading", name="Leave a Reply to Ada")).to_be_visible()
    fill_in(plain, "Precious <b>words</b>", name=" ", email="nobody")
    post(plain)
    expect(plain.locator("#email-error")).to_have_text("Invalid email address")
    expect(plain.locator("#name-error")).to_have_text("Please enter your name here")
    expect(plain.get_by_label("Your comment")).to_have_value("Precious <b>words</b>")
    expect(plain.get_by_role("textbox", name="Email")).to_have_value("nobody")
    expect(plain.get_by_role("heading", name="Leave a Reply to Ada")).to_be_visible()
    fill_in(plain, "Precious words")
    post(plain)
    texts(plain, "One", "Precious words")
    assert stored(service)[1].parent_id == 1


def test_an_empty_comment_is_told(plain: Page) -> None:
    post(plain)
    expect(plain.locator("#text-error")).to_have_text("Please enter a comment")
    expect(plain.locator("#email-error")).to_have_text("Please enter your email address here")


def test_more_comments_are_a_page_further(plain: Page, service: Service, blog: Blog) -> None:
    every = [f"Comment {number}" for number in range(60)]
    write(service, blog, *every)
    plain.reload()
    texts(plain, *every[:50])
    plain.get_by_role("link", name="Show more comments").click()
    texts(plain, *every[50:])


def test_more_replies_are_a_page_further(plain: Page, service: Service, blog: Blog) -> None:
    (root,) = write(service, blog, "Root")
    write(service, blog, *(str(number) for number in range(1, 9)), parent=root)
    plain.reload()
    plain.get_by_role("link", name="Show 3 more replies").click()
    expect(plain.locator(".comment .text").first).to_have_text("Root")
    expect(plain.get_by_text("8", exact=True)).to_be_visible()
    plain.get_by_role("link", name="All comments").click()
    expect(plain.get_by_role("button", name="Post Comment")).to_be_visible()


def test_the_order_can_be_chosen(plain: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "One", "Two")
    plain.reload()
    plain.get_by_role("link", name="Newest").click()
    texts(plain, "Two", "One")


def test_a_held_comment_is_shown_to_its_author_by_its_receipt(
    plain: Page, service: Service, blog: Blog, door: str
) -> None:
    change(service, blog, policy=Policy.HOLD_ALL)
    fill_in(plain, "Patient words")
    post(plain)
    expect(plain.get_by_text("Your comment is awaiting moderation.")).to_be_visible()
    texts(plain, "Patient words")
    expect(plain.get_by_role("heading", name="Awaiting moderation")).to_be_visible()
    assert held(service) == ["Patient words"]
    plain.goto(f"{service.url}{door}?url={quote(blog.url())}")
    expect(plain.locator(".comment")).to_have_count(0)


def test_a_closed_thread_says_so(plain: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "One")
    change(service, blog, policy=Policy.CLOSED)
    plain.reload()
    expect(plain.get_by_text("Comments are closed.")).to_be_visible()
    texts(plain, "One")
    expect(plain.get_by_role("textbox")).to_have_count(0)
