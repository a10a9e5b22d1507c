"""Ban and unban: a moderator in the admin view, and the person whom it meets, each in a browser of their own."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from commentsvc.domain.accounts import accounts
from commentsvc.models import now
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, fill_in, inside, post, stored, write


def sign_in(page: Page, service: Service) -> None:
    """Come in by the operator's link."""
    with service.writing() as session:
        link = accounts.issue_link(session, accounts.operator(session), at=now())
        session.commit()
    page.goto(f"{service.url}/admin/sign-in/{link}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{service.url}/admin")


def test_ban_and_unban(
    page: Page, service: Service, blog: Blog, chromium: Browser, complaints: list[str]
) -> None:
    write(service, blog, "Buy my pills")
    moderator = chromium.new_context(java_script_enabled=False).new_page()
    sign_in(moderator, service)
    moderator.get_by_role("link", name="Approved").click()
    moderator.get_by_role("link", name="Ada", exact=True).click()
    expect(moderator.get_by_text("Buy my pills")).to_be_visible()
    moderator.get_by_role("link", name="Ban Ada").click()
    expect(moderator.get_by_label("The e-mail address ada@good.example")).to_be_checked()
    moderator.get_by_label("How long").select_option("A week")
    moderator.get_by_label("Reason").fill("Sells pills")
    moderator.get_by_role("button", name="Ban").click()
    expect(moderator.get_by_text("Sells pills")).to_be_visible()

    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    fill_in(thread, "A long text, written with care", email="ada@good.example")
    post(thread)
    expect(thread.get_by_text("You cannot comment on this site until")).to_be_visible()
    expect(thread.get_by_label("Your comment")).to_have_value("A long text, written with care")
    assert [one.source for one in stored(service)] == ["Buy my pills"]
    complaints.clear()  # the refusal is a 403

    moderator.get_by_role("button", name="Lift the ban of Ada").click()
    expect(moderator.get_by_text("is lifted")).to_be_visible()
    expect(moderator.get_by_role("heading", name="Banned")).to_be_hidden()
    post(thread)
    expect(thread.get_by_text("A long text, written with care")).to_be_visible()
    assert len(stored(service)) == 2
    moderator.get_by_role("link", name="Activity").click()
    expect(moderator.get_by_text("Lifted the ban of Ada")).to_be_visible()
    expect(moderator.get_by_text("Sells pills")).to_be_visible()
    moderator.context.close()
