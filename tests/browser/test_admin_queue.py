"""The queue in a real browser: by keyboard alone, with a selection, without a script, for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.domain.fields import Guest
from commentsvc.domain.maintenance import expired_comments
from commentsvc.models import Comment, Report, Status
from tests.support.accessibility import serious_violations
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
    expect(page.get_by_role("dialog")).to_contain_text("Undo the last action")
    page.keyboard.press("a")  # does nothing behind a dialog
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("asdz")
    expect(page.locator("#q")).to_have_value("asdz")
    assert it.statuses(first, second) == [Status.HELD, Status.HELD]
    page.locator("#q").blur()
    page.locator("body").press("e")
    expect(chosen(page).get_by_role("textbox", name="Comment")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".in-place")).to_have_count(0)
    page.keyboard.press("r")
    expect(chosen(page).get_by_role("textbox", name="Your reply")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keys").click()
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")


def test_a_button_and_the_list_of_keys_use_the_same_words(
    page: Page, service: Service, it: AdminQueue
) -> None:
    it.held(1)
    enter(page, service, it)
    page.keyboard.press("?")
    listed = {
        row.locator("kbd").inner_text(): row.locator("dd").inner_text()
        for row in page.locator("#keys dl div").all()
    }
    titles = page.locator("main [aria-keyshortcuts]").evaluate_all(
        "all => all.map(one => [one.getAttribute('aria-keyshortcuts'), one.title])"
    )
    assert len(titles) == 9
    for key, title in titles:
        word = title.removesuffix(f" ({key})")
        assert word in listed[key]
        assert word != title


def test_editing_in_place_takes_a_link_off_and_can_be_undone(
    page: Page, service: Service, it: AdminQueue, complaints: list[str]
) -> None:
    spammer = Guest("Ada", "ada@mail.example", "https://casino.example")
    one = it.write("A good comment", guest=spammer, status=Status.APPROVED)
    enter(page, service, it, "status=approved")
    card = page.locator(f"#comment-{one}")
    expect(card.get_by_role("link", name="https://casino.example")).to_be_visible()
    card.get_by_role("link", name="Edit").click()
    card.get_by_label("Website").fill("javascript:alert(1)")
    card.get_by_label("Email").fill("nobody")
    card.get_by_role("button", name="Save").click()
    expect(card.get_by_text("Invalid website address")).to_be_visible()
    expect(card.get_by_text("Invalid email address")).to_be_visible()
    expect(card.get_by_label("Email")).to_be_focused()
    complaints.clear()  # the browser calls the 422 an error
    card.get_by_label("Website").fill("")
    card.get_by_label("Email").fill("ada@mail.example")
    card.get_by_role("button", name="Save").click()
    toast(page, "Saved.")
    expect(card.get_by_role("link", name="https://casino.example")).to_have_count(0)
    expect(page.locator(".in-place")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(card.get_by_role("link", name="https://casino.example")).to_be_visible()


def test_a_reply_in_place_approves_and_is_not_lost_by_accident(
    page: Page, service: Service, it: AdminQueue
) -> None:
    first, second = it.held(2)
    questions: list[str] = []
    enter(page, service, it)
    card = page.locator(f"#comment-{second}")
    card.get_by_role("link", name="Reply").click()
    card.get_by_label("Your reply").fill("Thank *you*")

    def refuse(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", refuse)
    page.locator(f"#comment-{first}").get_by_role("button", name="Spam").click()
    expect(card.get_by_label("Your reply")).to_have_value("Thank *you*")
    assert questions == ["Discard what you typed?"]
    assert it.statuses(first, second) == [Status.HELD, Status.HELD]
    card.get_by_label("Your reply").press("Control+Enter")
    toast(page, "Your reply is published.")
    assert it.statuses(first, second) == [Status.HELD, Status.APPROVED]


def test_what_could_not_be_sent_stays_in_the_form(
    page: Page, service: Service, it: AdminQueue, complaints: list[str]
) -> None:
    (one,) = it.held(1)
    enter(page, service, it)
    card = page.locator(f"#comment-{one}")
    card.get_by_role("link", name="Edit").click()
    card.get_by_label("Comment", exact=True).fill("Better words")
    page.route("**/edit?*", lambda route: route.abort())
    card.get_by_role("button", name="Save").click()
    expect(card.get_by_role("alert")).to_contain_text("nothing was changed")
    expect(card.get_by_label("Comment", exact=True)).to_have_value("Better words")
    complaints.clear()  # the browser names the request that failed
    page.unroute("**/edit?*")
    card.get_by_role("button", name="Save").click()
    toast(page, "Saved.")


def test_seven_comments_fit_on_a_screen(page: Page, service: Service, it: AdminQueue) -> None:
    for number in range(9):
        it.write(
            f"Comment number {number}, of a length that people often write, so that it takes two lines. " * 2
        )
    page.set_viewport_size({"width": 1200, "height": 900})
    enter(page, service, it)
    bottoms = page.locator(".item").evaluate_all("all => all.map(one => one.getBoundingClientRect().bottom)")
    assert bottoms[6] <= 900, bottoms


def test_on_a_phone_one_row_of_buttons_and_a_menu(page: Page, service: Service, it: AdminQueue) -> None:
    one, _ = it.held(2)
    page.set_viewport_size({"width": 360, "height": 780})
    enter(page, service, it)
    card = page.locator(f"#comment-{one}")
    buttons = card.locator(".actions > :is(button, a)")
    assert buttons.all_inner_texts()[0] == "Approve"
    tops = {round(button.bounding_box()["y"]) for button in buttons.all()}  # type: ignore[index]
    assert len(tops) == 1
    expect(card.get_by_role("link", name="Edit")).to_be_hidden()
    card.get_by_role("button", name="More").click()
    card.get_by_role("link", name="Edit").click()
    expect(card.get_by_label("Website")).to_be_visible()
    expect(card.locator(".rest")).to_be_hidden()


def test_emptying_spam_asks_and_goes_in_rounds(
    page: Page, service: Service, it: AdminQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expired_comments, "BATCH", 2)
    monkeypatch.setattr(expired_comments, "ROUND", 2)
    for number in range(5):
        it.write(f"Cheap goods {number}", status=Status.SPAM)
    kept = it.write("This waits")
    enter(page, service, it, "status=spam")
    page.get_by_role("link", name="Empty spam").click()
    expect(page.get_by_role("heading", name="Delete 5 comments for good?")).to_be_visible()
    page.get_by_role("button", name="Delete 5 comments").click()
    toast(page, "Deleted for good: 5 comments.")
    expect(page.locator(".empty")).to_contain_text("No spam")
    assert it.statuses() == it.statuses(kept)


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
    expect(page.get_by_role("group", name="With the selected comments")).to_be_visible()
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
    expect(page.get_by_role("group", name="With the selected comments")).to_be_hidden()
    page.locator("[name=pick]").check()
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
        assert serious_violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
