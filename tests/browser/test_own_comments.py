"""Editing and deleting one's own comment in the frame, in a real browser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Frame, Locator, Page, Route, expect
from sqlalchemy import select

from commentsvc.models import Comment, Policy, Thread, now
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, change, fill_in, fits, inside, loaded_form, stored, write

SHOTS = os.environ.get("SHOTS")


def posted(page: Page, service: Service, blog: Blog, text: str, *, style: str = "") -> tuple[Frame, Locator]:
    """Post a comment; return the frame and the comment."""
    blog.pages["/"] = article(service, style=style)
    page.goto(blog.url())
    thread = inside(page)
    fill_in(thread, text)
    thread.get_by_role("button", name="Post Comment").click()
    comment = thread.locator(".comment", has_text=text)
    expect(comment).to_be_visible()
    return thread, comment


def choose(comment: Locator, what: str) -> Locator:
    """Choose from the comment's menu; return the form that opens."""
    comment.locator(".menu summary").click()
    comment.get_by_role("link", name=what, exact=True).click()
    form = comment.locator(".own-comment")
    expect(form).to_be_visible()
    return form


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.wait_for_timeout(300)
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def test_a_comment_is_edited_in_its_place(page: Page, service: Service, blog: Blog) -> None:
    thread, comment = posted(page, service, blog, "The first text")
    number = int(str(comment.get_attribute("id")).removeprefix("comment-"))
    comment = thread.locator(f"#comment-{number}")
    form = choose(comment, "Edit")
    box = form.get_by_label("Your comment")
    expect(box).to_be_focused()
    expect(box).to_have_value("The first text")
    shoot(page, "edit")
    box.fill("The **second** text")
    form.get_by_role("tab", name="Preview").click()
    expect(form.get_by_role("tabpanel").locator("strong")).to_have_text("second")
    form.get_by_role("tab", name="Write").click()
    with page.expect_request(lambda request: request.method == "POST") as sent:
        form.get_by_role("button", name="Save").click()
    assert "script=1" in (sent.value.post_data or "")
    expect(comment.locator(".text strong")).to_have_text("second")
    expect(comment.get_by_role("status")).to_be_focused()
    expect(comment).to_contain_text("edited")
    shoot(page, "edited")
    assert stored(service)[0].source == "The **second** text"
    choose(comment, "Edit")  # as often as they like, until the time is over


def test_the_menu_gets_the_focus_back(page: Page, service: Service, blog: Blog) -> None:
    _, comment = posted(page, service, blog, "A text")
    for leave in ("Cancel", "Escape"):
        form = choose(comment, "Edit")
        expect(comment.locator(".text").first).to_be_hidden()
        if leave == "Escape":
            page.keyboard.press("Escape")
        else:
            form.get_by_role("link", name="Cancel").click()
        expect(form).to_be_hidden()
        expect(comment.locator(".menu summary")).to_be_focused()
        expect(comment.locator(".text")).to_be_visible()


def test_an_edit_that_is_held_leaves_the_former_text(page: Page, service: Service, blog: Blog) -> None:
    change(service, blog, moderation_words="casino")
    thread, comment = posted(page, service, blog, "A text")
    form = choose(comment, "Edit")
    form.get_by_label("Your comment").fill("A casino")
    form.get_by_role("button", name="Save").click()
    comment = thread.locator(".comment")
    expect(comment.get_by_role("status")).to_contain_text("awaiting moderation")
    expect(comment.locator(".text")).to_have_text("A text")
    shoot(page, "held-edit")
    page.reload()
    thread = inside(page)
    expect(thread.locator(".comment .pending")).to_have_text("Your change is awaiting moderation.")
    form = choose(thread.locator(".comment"), "Edit")
    expect(form.get_by_label("Your comment")).to_have_value("A casino")


def test_a_held_comment_has_the_menu_too(page: Page, service: Service, blog: Blog) -> None:
    change(service, blog, policy=Policy.HOLD_ALL)
    thread, comment = posted(page, service, blog, "A text")
    form = choose(comment, "Edit")
    form.get_by_label("Your comment").fill("Another text")
    form.get_by_role("button", name="Save").click()
    comment = thread.locator(".comment")
    expect(thread.locator(".comment > .text")).to_have_text("Another text")
    expect(comment).to_contain_text("Your comment is awaiting moderation.")
    choose(comment, "Delete").get_by_role("button", name="Delete").click()
    expect(comment).to_have_text("Your comment is deleted.")


def test_a_comment_is_deleted_and_its_answer_stays(page: Page, service: Service, blog: Blog) -> None:
    thread, comment = posted(page, service, blog, "A text")
    number = int(str(comment.get_attribute("id")).removeprefix("comment-"))
    write(service, blog, "An answer", parent=number)
    page.reload()
    thread = inside(page)
    comment = thread.locator(f"#comment-{number}")
    loaded_form(thread)
    form = choose(comment, "Delete")
    expect(form).to_contain_text("answers")
    expect(form.get_by_role("button", name="Delete")).to_be_focused()
    shoot(page, "delete")
    form.get_by_role("button", name="Delete").click()
    expect(comment.get_by_role("status")).to_have_text("Your comment is deleted.")
    expect(comment).to_contain_text("This comment was removed.")
    expect(thread.locator(".reply")).to_contain_text("An answer")
    expect(thread.locator("#count")).to_have_text("1 Comment")
    shoot(page, "deleted")


def test_another_readers_comment_has_no_such_buttons(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "Not yours")
    thread, _ = posted(page, service, blog, "Yours")
    other = thread.locator(".comment", has_text="Not yours")
    other.locator(".menu summary").click()
    expect(other.get_by_role("link", name="Report")).to_be_visible()
    expect(other.get_by_role("link", name="Delete")).to_have_count(0)


def test_under_a_closed_article_a_comment_can_still_be_deleted(
    page: Page, service: Service, blog: Blog
) -> None:
    thread, comment = posted(page, service, blog, "A text")
    with service.writing() as session:
        session.scalars(select(Thread)).one().closed_at = now()
        session.commit()
    page.reload()
    thread = inside(page)
    comment = thread.locator(".comment")
    comment.locator(".menu summary").click()
    expect(comment.get_by_role("link", name="Edit")).to_have_count(0)
    comment.get_by_role("link", name="Delete").click()
    comment.get_by_role("button", name="Delete").click()
    expect(comment).to_have_text("Your comment is deleted.")


def test_what_was_typed_stays_when_the_comment_was_changed_meanwhile(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    thread, comment = posted(page, service, blog, "A text")
    form = choose(comment, "Edit")
    with service.writing() as session:
        session.scalars(select(Comment)).one().source = "Changed by a moderator"
        session.commit()
    form.get_by_label("Your comment").fill("Mine")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_contain_text("It reads now: “Changed by a moderator”")
    expect(form.get_by_label("Your comment")).to_have_value("Mine")
    shoot(page, "stale")
    form.get_by_role("button", name="Save").click()
    expect(thread.locator(".comment > .text")).to_have_text("Mine")
    assert [text for text in complaints if "409" not in text] == []
    complaints.clear()


@pytest.mark.parametrize(
    "style", ["", "background: #14161a; color: #e8e8e8; color-scheme: dark"], ids=["light", "dark"]
)
def test_it_fits_a_small_screen(page: Page, service: Service, blog: Blog, style: str) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    text = "A text that is long enough for more than one line of it"
    thread, comment = posted(page, service, blog, text, style=style)
    name = "dark" if style else "light"
    comment.locator(".menu summary").click()
    shoot(page, f"menu-360-{name}")
    comment.locator(".menu summary").click()
    choose(comment, "Edit")
    fits(thread)
    shoot(page, f"edit-360-{name}")
    page.keyboard.press("Escape")
    choose(comment, "Delete")
    fits(thread)
    shoot(page, f"delete-360-{name}")


def test_can_be_edited_although_an_answer_from_before_comes_late(
    page: Page, service: Service, blog: Blog
) -> None:
    """The browser asked what is the reader's own before the comment was there, and hears of it afterwards."""
    thread, _ = posted(page, service, blog, "The first")
    late: list[tuple[Route, APIResponse]] = []
    page.route("**/embed/own?**", lambda route: late.append((route, route.fetch())), times=1)
    thread.locator("#text").fill("The second")
    with page.expect_request("**/embed/own?**"):
        thread.evaluate("() => dispatchEvent(new Event('focus'))")
    thread.get_by_role("button", name="Post Comment").click()
    comment = thread.locator(".comment", has_text="The second")
    expect(comment).to_be_visible()
    route, answer = late[0]
    assert [own["id"] for own in answer.json()["mine"]] == [stored(service)[0].id]
    route.fulfill(response=answer)
    choose(comment, "Edit")
