"""Looking after threads, and reporting comments, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from commentsvc.domain.accounts import accounts
from commentsvc.models import Report, Thread, now
from tests.support.accessibility import violations
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, change, fits, inside, write


@pytest.fixture
def admin(page: Page, service: Service, blog: Blog) -> Page:
    """The owner's browser, signed in; the blog has an article in two threads."""
    write(service, blog, "In the open", path="/a")
    write(service, blog, "In print", "In print too", path="/a?print=1")
    with service.writing() as session:
        for thread in session.scalars(select(Thread)):
            thread.title = "Counting swifts"
        link = accounts.issue_link(session, accounts.operator(session), at=now())
        session.commit()
    page.goto(f"{service.url}/admin/sign-in/{link}")
    page.get_by_role("button").first.click()
    page.get_by_role("link", name="Articles").click()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_merge_and_unmerge(admin: Page, service: Service, blog: Blog, scheme: str) -> None:
    admin.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    admin.reload()  # or the colours would still be on their way
    expect(admin.get_by_text("2 articles")).to_be_visible()
    assert violations(admin) == []
    admin.get_by_role("link", name="Find split threads").click()
    assert violations(admin) == []
    admin.get_by_role("link", name="Merge into the first").click()
    expect(admin.get_by_text("which will have 3 comments")).to_be_visible()
    assert violations(admin) == []
    admin.get_by_role("button", name="Merge").click()
    expect(admin.get_by_role("status")).to_contain_text("Merged: 1 comment moved here.")
    expect(admin.get_by_role("main")).to_contain_text("It is also found under another key")
    assert violations(admin) == []

    blog.pages["/a"] = article(service)
    reader = admin.context.new_page()
    reader.goto(blog.url("/a"))
    expect(inside(reader).locator(".comment .text")).to_have_count(3)

    admin.get_by_role("button", name="Undo").click()
    expect(admin.get_by_role("status")).to_contain_text("Undone.")
    reader.goto(blog.url("/a"))
    expect(inside(reader).locator(".comment .text")).to_have_text(["In the open"])


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_every_page_fits_its_window(admin: Page, service: Service, blog: Blog, width: int) -> None:
    admin.set_viewport_size({"width": width, "height": 800})
    for path in (
        "/admin/threads",
        "/admin/threads/1",
        "/admin/threads/1/address",
        "/admin/threads/1/merge",
        "/admin/threads/1/merge?into=2",
        "/admin/threads/comments/1",
        f"/admin/threads/sites/{blog.site_id}/split",
        f"/admin/threads/sites/{blog.site_id}/remap",
    ):
        admin.goto(service.url + path)
        assert admin.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert violations(admin) == []


def test_a_thread_is_closed_and_its_readers_see_why(admin: Page, service: Service, blog: Blog) -> None:
    admin.goto(f"{service.url}/admin/threads/1")
    admin.get_by_label("Closed: read-only").check()
    admin.get_by_role("button", name="Save").first.click()
    expect(admin.get_by_role("status")).to_contain_text("Comments were closed on")
    blog.pages["/a"] = article(service)
    admin.goto(blog.url("/a"))
    thread = inside(admin)
    expect(thread.get_by_text("Comments were closed on")).to_be_visible()
    expect(thread.get_by_label("Your comment")).to_have_count(0)


def test_a_reader_reports_a_comment_in_the_frame(page: Page, service: Service, blog: Blog) -> None:
    change(service, blog, reports_to_hold=1)
    write(service, blog, "Buy now", "Fine")
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    menu = thread.locator(".menu summary").first
    link = thread.get_by_role("link", name="Report")
    menu.click()
    link.click()
    expect(thread.get_by_label("It is spam or advertising")).to_be_focused()
    fits(thread)
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    menu.click()
    link.click()
    thread.get_by_label("It is spam or advertising").check()
    thread.get_by_label("Anything to add?").fill("An advertisement")
    thread.get_by_role("button", name="Report").click()
    expect(thread.get_by_text("Thank you. The moderators will look at this comment.")).to_be_focused()
    with service.writing() as session:
        [found] = session.scalars(select(Report))
        assert (found.reason, found.note) == ("spam", "An advertisement")
    page.reload()
    expect(inside(page).locator(".comment .text")).to_have_text(["Fine"])
