"""The queue in a real browser: by keyboard alone, with a selection, without a script, for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.models import Comment, Report, Status
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.browser import Service
from tests.support.browser_client import link_for


@pytest.fixture
def it(service: Service) -> Iterator[AdminQueue]:
    """The queue of the running service."""
    with queue_in(service.app, service.url) as queue:
        yield queue


def enter(page: Page, service: Service, it: AdminQueue, query: str = "") -> None:
    """Sign the owner in and open the queue."""
    begin_write(it.session)
    owner = accounts.operator(it.session)
    it.session.commit()
    page.goto(f"{service.url}/admin/sign-in/{link_for(it.session, owner)}")
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{service.url}/admin?{query}")


def toast(page: Page, text: str) -> None:
    expect(page.locator(".toast p")).to_have_text(text)


def chosen(page: Page) -> Any:
    return page.locator(".item[aria-current=true]")


def test_thirty_comments_by_keyboard_alone(page: Page, service: Service, it: AdminQueue) -> None:
    ids = it.held(30)[::-1]
    enter(page, service, it)
    deeds = {"a": (Status.APPROVED, "Approved."), "s": (Status.SPAM, "Marked as spam.")}
    deeds["d"] = (Status.TRASH, "Moved to the trash.")
    for number, one in enumerate(ids):
        key = "asd"[number % 3]
        if chosen(page).count() == 0:
            page.keyboard.press("j")
        expect(chosen(page)).to_have_id(f"comment-{one}")
        page.keyboard.press(key)
        expect(page.locator(f"#comment-{one}")).to_have_count(0)
        toast(page, deeds[key][1])
    assert it.statuses(*ids) == [deeds["asd"[number % 3]][0] for number in range(30)]
    page.keyboard.press("z")
    toast(page, "Restored one comment.")
    assert it.statuses(ids[-1]) == [Status.HELD]


def test_the_keys_move_edit_reply_open_and_explain(page: Page, service: Service, it: AdminQueue) -> None:
    first, second = it.held(2)
    enter(page, service, it)
    expect(chosen(page)).to_have_id(f"comment-{second}")
    page.keyboard.press("j")
    expect(page.locator(f"#comment-{first}")).to_be_focused()
    page.keyboard.press("k")
    expect(chosen(page)).to_have_id(f"comment-{second}")
    page.keyboard.press("o")
    expect(chosen(page).locator(".context")).to_contain_text("By the same author")
    page.keyboard.press("o")
    expect(page.locator(".context")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("undo the last action")
    page.keyboard.press("a")  # does nothing behind a dialog
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("asdz")
    expect(page.locator("#q")).to_have_value("asdz")
    assert it.statuses(first, second) == [Status.HELD, Status.HELD]
    page.locator("#q").blur()
    page.locator("body").press("e")
    page.wait_for_url("**/edit?*")
    page.go_back()
    page.locator("body").press("r")
    page.wait_for_url("**/reply?*")


def test_five_hundred_spam_and_undo(page: Page, service: Service, it: AdminQueue) -> None:
    one = it.write("The first")
    begin_write(it.session)
    row = it.session.get_one(Comment, one)
    same = ("site_id", "thread_id", "status", "source", "html", "renderer", "digest")
    it.session.add_all(Comment(**{name: getattr(row, name) for name in same}) for _ in range(499))
    it.session.commit()
    page.set_default_timeout(60_000)
    enter(page, service, it)
    page.get_by_label("Select all").check()
    expect(page.locator("#ticked")).to_have_text("25 selected")
    page.get_by_label("All 500 in this list").check()
    page.locator("#bulk").get_by_role("button", name="Spam").click()
    expect(page.locator(".toast p")).to_have_text("Marked as spam: 500 comments.", timeout=60_000)
    assert it.statuses() == [Status.SPAM] * 500
    page.keyboard.press("z")
    expect(page.locator(".toast p")).to_have_text("Restored 500 comments.", timeout=60_000)
    assert it.statuses() == [Status.HELD] * 500


def test_two_moderators_on_the_same_comment(
    page: Page, service: Service, it: AdminQueue, complaints: list[str]
) -> None:
    (one,) = it.held(1)
    enter(page, service, it)
    it.moderator("Ben").post(f"/admin/comments/{one}/decision", {"verdict": "spam", "seen": "held"})
    page.keyboard.press("a")
    expect(page.get_by_role("alert")).to_contain_text("Ben marked it as spam")
    complaints.clear()  # the browser calls the 409 an error
    assert it.statuses(one) == [Status.SPAM]
    page.get_by_role("button", name="Approve it anyway").click()
    toast(page, "Approved.")
    assert it.statuses(one) == [Status.APPROVED]


def test_everything_works_without_a_script(chromium: Browser, service: Service, it: AdminQueue) -> None:
    one, two, three = it.held(3)
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    enter(page, service, it)
    page.locator(f"#comment-{one} [name=pick]").check()
    page.locator(f"#comment-{three} [name=pick]").check()
    page.locator("#bulk").get_by_role("button", name="Trash").click()
    toast(page, "Moved to the trash: 2 comments.")
    page.get_by_role("button", name="Undo").click()
    toast(page, "Restored 2 comments.")
    page.locator(f"#comment-{two}").get_by_role("link", name="Context").click()
    expect(page.locator(f"#comment-{two} .context")).to_be_visible()
    page.get_by_role("searchbox").fill("number 2")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".item")).to_have_count(1)
    page.get_by_label("All 1 that match").check()
    page.locator("#bulk").get_by_role("button", name="Approve").click()
    toast(page, "Approved: one comment.")
    assert it.statuses(one, two, three) == [Status.HELD, Status.HELD, Status.APPROVED]
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_nobody_is_kept_out(page: Page, service: Service, it: AdminQueue, scheme: Any, width: int) -> None:
    one = it.write("Long " + "word " * 400, status=Status.APPROVED)
    answer = it.write("An answer", parent=one)
    begin_write(it.session)
    it.session.get_one(Comment, one).reports = 1
    it.session.add(Report(comment_id=one, reporter_hash="x", reason="spam", note="Advertising"))
    it.session.commit()
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    enter(page, service, it, f"open={answer}")
    page.get_by_label("Select all").check()
    site = it.site_id
    for path in (None, "/admin?status=reported", "/admin?q=answer&provider=guest", f"/admin/sites/{site}/activity",
                 f"/admin/comments/{answer}"):  # fmt: skip
        if path:
            page.goto(service.url + path)
        result = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        grave = [row for row in result if row["impact"] in {"serious", "critical"}]
        assert grave == [], (path, [(row["id"], [node["html"] for node in row["nodes"]]) for row in grave])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
