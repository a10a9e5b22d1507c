"""A guest's private link in a real browser: where it is shown, on another device, and taking comments along."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from commentsvc.models import Policy
from tests.browser import test_login
from tests.support.accessibility import serious_violations
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, change, fill_in, frame, post, stored

service_variables = test_login.service_variables
provider_coop = test_login.provider_coop


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    return test_login.without_fonts(context)


@pytest.fixture
def device(chromium: Browser) -> Iterator[Page]:
    """A phone that has never been here."""
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark")
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def post_one(page: Page, service: Service, blog: Blog, text: str = "A thought") -> str:
    """Post as a guest in the frame; return the link that is shown."""
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    fill_in(frame(page), text)
    post(frame(page))
    link = frame(page).locator(".posted a")
    expect(link).to_be_visible()
    return link.get_attribute("href") or ""


def test_the_link_edits_and_deletes_on_another_device(
    page: Page, device: Page, service: Service, blog: Blog
) -> None:
    device.goto(post_one(page, service, blog))
    expect(device.get_by_text("Published.")).to_be_visible()
    for summary in device.locator("summary").all():
        summary.click()
    assert serious_violations(device) == []
    device.get_by_label("Your comment").fill("A **better** thought")
    device.get_by_role("button", name="Save").click()
    expect(device.get_by_role("status")).to_have_text("Your comment is saved.")
    expect(device.locator(".comment strong")).to_have_text("better")
    assert device.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.reload()
    expect(frame(page).locator(".comment strong")).to_have_text("better")
    device.get_by_text("Delete", exact=True).click()
    device.get_by_role("button", name="Delete this comment").click()
    expect(device.get_by_role("heading", name="Your comment is deleted")).to_be_visible()
    assert serious_violations(device) == []
    page.reload()
    expect(frame(page).get_by_text("No comments yet")).to_be_visible()


def test_the_link_is_copied_and_found_again_in_the_menu(
    page: Page, context: BrowserContext, service: Service, blog: Blog
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    link = post_one(page, service, blog)
    frame(page).get_by_role("button", name="Copy").click()
    expect(frame(page).get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link
    page.reload()
    frame(page).locator(".menu summary").click()
    expect(frame(page).get_by_role("link", name="Private link")).to_have_attribute("href", link)
    with context.expect_page() as opened:
        frame(page).get_by_role("link", name="Private link").click()
    expect(opened.value.get_by_role("heading", name="Your comment")).to_be_visible()


def test_a_held_comment_has_its_link_as_well(page: Page, device: Page, service: Service, blog: Blog) -> None:
    change(service, blog, policy=Policy.HOLD_ALL)
    device.goto(post_one(page, service, blog))
    expect(device.get_by_text("Waiting for a moderator.")).to_be_visible()
    expect(device.locator(".comment .text")).to_have_text("A thought")
    page.reload()
    frame(page).locator(".menu summary").click()
    expect(frame(page).get_by_role("link", name="Private link")).to_have_attribute("href", device.url)


def test_whoever_logs_in_takes_what_they_tick(page: Page, service: Service, blog: Blog) -> None:
    post_one(page, service, blog, "Mine")
    fill_in(frame(page), "My sister's", name="Hopper", email="h@good.example")
    post(frame(page))
    expect(frame(page).locator(".comment")).to_have_count(2)
    test_login.log_in(page)
    expect(frame(page).get_by_text("You wrote 2 comments here as a guest.")).to_be_visible()
    frame(page).get_by_role("button", name="Put them under your account").click()
    boxes = frame(page).locator(".claims [name=comment]")
    expect(boxes).to_have_count(2)
    expect(frame(page).locator(".claims :checked")).to_have_count(0)
    frame(page).get_by_label("Mine").check()
    frame(page).get_by_role("button", name="Put them under my account").click()
    expect(frame(page).get_by_text("One comment is under your account now")).to_be_visible()
    mine, sisters = stored(service)
    assert mine.commenter_id is not None
    assert mine.guest_name is None
    assert (sisters.commenter_id, sisters.guest_name) == (None, "Hopper")
    page.reload()
    expect(frame(page).locator(f"#comment-{mine.id} .name")).to_have_text("ada Example")


@pytest.mark.parametrize("door", ["/thread", "/embed"])
def test_without_script_the_page_after_posting_shows_the_link(
    chromium: Browser, service: Service, blog: Blog, door: str
) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto(f"{service.url}{door}?url={quote(blog.url())}")
    fill_in(page, "Without script")
    post(page)
    link = page.locator(".notice a")
    expect(link).to_be_in_viewport()
    page.goto(link.get_attribute("href") or "")
    expect(page.get_by_text("Published.")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_be_hidden()
    page.get_by_text("Get another link").click()
    page.get_by_role("button", name="Replace the link").click()
    expect(page.get_by_role("status")).to_contain_text("The one before no longer works.")
    page.get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Delete this comment").click()
    expect(page.get_by_role("heading", name="Your comment is deleted")).to_be_visible()
    assert stored(service)[0].source != "Without script"
    context.close()
