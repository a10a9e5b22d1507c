"""Writing a comment in the frame, in a real browser."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, Route, expect

from commentsvc.domain.moderation import decisions
from commentsvc.integrations.rate_limits import Limiter
from commentsvc.models import Comment, FieldRule, Policy, Status
from commentsvc.web.context import services_of
from tests.support import chromium as chromium_finder
from tests.support.browser import SWITCHES, Blog, Service
from tests.support.frame_pages import (
    article,
    change,
    fill_in,
    fits,
    frame,
    held,
    inside,
    loaded_form,
    post,
    stored,
    write,
)

DAY = 86_400_000
"""In milliseconds."""


def opened(page: Page, service: Service, blog: Blog) -> Frame:
    """Go to the article and return its frame."""
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    return inside(page)


def texts(frame: Frame, *expected: str) -> None:
    """Wait until the thread shows these comments and no others, in this order."""
    expect(frame.locator(".comment .text")).to_have_text(list(expected))


def drafted(frame: Frame) -> None:
    """Wait until the browser keeps what is being written."""
    frame.wait_for_function(
        "() => Object.keys(localStorage).some((key) => key.startsWith('commentsvc draft'))"
    )


def approve(service: Service, comment_id: int) -> None:
    with service.writing() as session:
        decisions.decide(session, session.get_one(Comment, comment_id), Status.APPROVED)
        session.commit()


# --- The form.


def test_a_thin_box_opens_when_the_reader_enters_it(page: Page, service: Service, blog: Blog) -> None:
    thread = opened(page, service, blog)
    box = thread.get_by_label("Your comment")
    expect(box).to_have_attribute("placeholder", "Enter your comment here…")
    thin = box.evaluate("(box) => box.offsetHeight")
    assert thin < 60
    expect(thread.get_by_role("button", name="Post Comment")).to_be_hidden()
    box.focus()
    expect(thread.get_by_role("button", name="Post Comment")).to_be_visible()
    expect(thread.get_by_role("textbox", name="Email")).to_be_visible()
    expect(thread.get_by_text("Address never made public")).to_be_visible()
    assert box.evaluate("(box) => box.offsetHeight") > thin


def test_the_box_grows_with_the_text(page: Page, service: Service, blog: Blog) -> None:
    thread = opened(page, service, blog)
    box = thread.get_by_label("Your comment")
    box.fill("line\n" * 25)
    assert box.evaluate("(box) => box.scrollHeight <= box.clientHeight")
    fits(thread)


def test_each_fault_is_told_beside_its_field(page: Page, service: Service, blog: Blog) -> None:
    change(service, blog, website_field=FieldRule.REQUIRED)
    thread = opened(page, service, blog)
    thread.get_by_label("Your comment").focus()
    post(thread)
    for name, words in {
        "text": "Please enter a comment",
        "email": "Please enter your email address here",
        "name": "Please enter your name here",
        "website": "Please enter your website here",
    }.items():
        field = thread.locator(f"#reply [name={name}]")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(
            words if name != "email" else f"{words} Address never made public"
        )
        expect(thread.locator(f"#{name}-error")).to_be_visible()
    expect(thread.get_by_label("Your comment")).to_be_focused()
    fits(thread)
    thread.get_by_label("Your comment").fill("Now there is one")
    expect(thread.locator("#text-error")).to_be_hidden()
    expect(thread.get_by_label("Your comment")).not_to_have_attribute("aria-invalid", "true")
    assert stored(service) == []


def test_an_address_that_is_none_is_told_in_its_words(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    thread = opened(page, service, blog)
    fill_in(thread, "Hello", email="nobody")
    thread.get_by_role("textbox", name="Website").fill("javascript:alert(1)")
    post(thread)
    expect(thread.locator("#email-error")).to_have_text("Invalid email address")
    expect(thread.locator("#website-error")).to_have_text("Invalid website address")
    expect(thread.get_by_role("textbox", name="Email")).to_be_focused()
    expect(thread.get_by_label("Your comment")).to_have_value("Hello")
    assert stored(service) == []
    complaints.clear()  # the browser tells every answer of 4xx


def test_details_the_site_does_not_ask_for_are_not_there(page: Page, service: Service, blog: Blog) -> None:
    change(service, blog, email_field=FieldRule.OFF, name_field=FieldRule.OFF, website_field=FieldRule.OFF)
    thread = opened(page, service, blog)
    thread.get_by_label("Your comment").fill("Just words")
    expect(thread.get_by_role("textbox")).to_have_count(1)
    post(thread)
    texts(thread, "Just words")


# --- Posting.


def test_a_comment_appears_in_its_place_without_a_reload(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First!")
    thread = opened(page, service, blog)
    thread.evaluate("window.same = true")
    fill_in(thread, "Some *thoughts*")
    thread.get_by_role("textbox", name="Website").fill("grace.example")
    post(thread)
    texts(thread, "Some thoughts", "First!")
    new = thread.locator("#comment-2")
    expect(new).to_be_focused()
    expect(new.locator("em")).to_have_text("thoughts")
    expect(new.get_by_role("link", name="Grace", exact=True)).to_have_attribute(
        "href", "https://grace.example"
    )
    expect(new.locator("time")).to_have_text("just now")
    expect(thread.get_by_role("heading", name="2 Comments")).to_be_visible()
    expect(thread.get_by_role("status")).to_have_text("Your comment is posted.")
    expect(new.get_by_text("Posted. Thank you.")).to_be_visible()
    fits(thread)
    expect(thread.get_by_label("Your comment")).to_have_value("")
    expect(thread.get_by_role("button", name="Post Comment")).to_be_hidden()
    assert thread.evaluate("window.same")
    comment = stored(service)[1]
    assert (comment.guest_name, comment.guest_email, comment.guest_website) == (
        "Grace",
        "g@good.example",
        "https://grace.example",
    )


def test_a_second_comment_needs_no_reload_either(page: Page, service: Service, blog: Blog) -> None:
    thread = opened(page, service, blog)
    fill_in(thread, "One")
    post(thread)
    texts(thread, "One")
    thread.get_by_label("Your comment").fill("Two")
    post(thread)
    texts(thread, "Two", "One")
    expect(thread.locator(".posted")).to_have_count(1)
    expect(thread.locator("#comment-2 .posted")).to_be_visible()
    expect(thread.get_by_role("heading", name="2 Comments")).to_be_visible()


def test_the_keyboard_sends_with_control_and_enter(page: Page, service: Service, blog: Blog) -> None:
    thread = opened(page, service, blog)
    fill_in(thread, "From the keyboard")
    loaded_form(thread)
    thread.get_by_label("Your comment").press("Enter")
    thread.get_by_label("Your comment").press("Control+Enter")
    texts(thread, "From the keyboard")


def test_the_button_says_that_it_is_sending(page: Page, service: Service, blog: Blog) -> None:
    waiting: list[Route] = []
    page.route("**/embed/comments", lambda route: waiting.append(route))
    thread = opened(page, service, blog)
    fill_in(thread, "Patience")
    with page.expect_request("**/embed/comments"):
        post(thread)
    button = thread.locator("#reply [type=submit]")
    expect(button).to_have_text("Posting Comment…")
    expect(button).to_be_disabled()
    waiting[0].continue_()
    texts(thread, "Patience")
    expect(button).to_have_text("Post Comment")
    expect(button).to_be_enabled()


def test_a_double_click_posts_once(page: Page, service: Service, blog: Blog) -> None:
    thread = opened(page, service, blog)
    fill_in(thread, "Once")
    thread.get_by_role("button", name="Post Comment").dblclick()
    texts(thread, "Once")
    assert len(stored(service)) == 1


# --- Answering.


def test_an_answer_goes_under_what_it_answers(page: Page, service: Service, blog: Blog) -> None:
    one, two = write(service, blog, "One", "Two")
    under_one = write(service, blog, "Under one", parent=one, name="Bob")[0]
    write(service, blog, "Under one too", parent=one)
    thread = opened(page, service, blog)
    thread.get_by_role("link", name="Reply to Bob").click()
    expect(thread.get_by_role("heading", name="Leave a Reply to Bob")).to_be_visible()
    expect(thread.get_by_label("Your comment")).to_be_focused()
    expect(thread.locator(f"#comment-{under_one} + form")).to_be_visible()
    fits(thread)
    fill_in(thread, "To Bob")
    post(thread)
    texts(thread, "One", "Under one", "To Bob", "Under one too", "Two")
    expect(thread.locator("#comment-5")).to_be_focused()
    expect(thread.locator("#comment-5 .in-reply-to")).to_have_text("in reply to Bob")
    expect(thread.get_by_role("heading", name="Leave a Reply", exact=True)).to_be_visible()
    assert [comment.parent_id for comment in stored(service)] == [None, None, one, one, under_one]
    assert two


@pytest.mark.parametrize("width", [360, 1200])
def test_the_form_of_an_answer_keeps_the_line_of_the_thread(
    page: Page, service: Service, blog: Blog, width: int
) -> None:
    """It begins where the text that it answers begins, where there is room, and its line leaves no gap."""
    (one,) = write(service, blog, "One")
    reply = write(service, blog, "Under one", parent=one, name="Bob")[0]
    page.set_viewport_size({"width": width, "height": 900})
    thread = opened(page, service, blog)
    edges = """(id) => {
        const box = (selector) => document.querySelector(selector).getBoundingClientRect();
        const form = box("#reply"), content = box("#reply .composer-head"), comment = box(`#comment-${id}`);
        return { text: box(`#comment-${id} > .text`).left - content.left, line: form.left - comment.left,
            above: form.top - comment.bottom, avatar: box(`#comment-${id} .avatar`).width };
    }"""
    for comment_id in (one, reply):
        thread.locator(f"#comment-{comment_id} .reply-link").click()
        expect(thread.locator(f"#comment-{comment_id} + form")).to_be_visible()
        found = thread.evaluate(edges, comment_id)
        assert found["line"] == found["avatar"] / 2 - 1
        assert found["above"] == 0
        assert abs(found["text"]) < 1 if width == 1200 else found["text"] > 0
        fits(thread)


@pytest.mark.parametrize("how", ["link", "escape"])
def test_cancelling_an_answer_returns_to_where_it_began(
    page: Page, service: Service, blog: Blog, how: str
) -> None:
    write(service, blog, "One")
    thread = opened(page, service, blog)
    thread.get_by_role("link", name="Reply to Ada").click()
    expect(thread.get_by_role("heading", name="Leave a Reply to Ada")).to_be_visible()
    thread.get_by_label("Your comment").fill("Half a thought")
    if how == "link":
        thread.get_by_role("link", name="Cancel reply").click()
    else:
        thread.get_by_label("Your comment").press("Escape")
    expect(thread.get_by_role("heading", name="Leave a Reply", exact=True)).to_be_visible()
    expect(thread.get_by_role("link", name="Cancel reply")).to_be_hidden()
    expect(thread.get_by_role("link", name="Reply to Ada")).to_be_focused()
    expect(thread.get_by_label("Your comment")).to_have_value("Half a thought")
    assert thread.locator("#reply [name=parent]").input_value() == ""
    fits(thread)


def test_an_answer_to_what_was_removed_meanwhile_keeps_its_text(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    (one,) = write(service, blog, "One")
    thread = opened(page, service, blog)
    thread.get_by_role("link", name="Reply to Ada").click()
    expect(thread.get_by_role("link", name="Cancel reply")).to_be_visible()
    fill_in(thread, "Too late")
    with service.writing() as session:
        decisions.decide(session, session.get_one(Comment, one), Status.TRASH)
        session.commit()
    post(thread)
    expect(thread.get_by_role("alert")).to_have_text("The comment that you are replying to no longer exists.")
    expect(thread.get_by_label("Your comment")).to_have_value("Too late")
    complaints.clear()


# --- When the network or the service fails.


def test_a_failed_post_keeps_the_text_and_says_so(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    page.route("**/embed/comments", lambda route: route.abort())
    thread = opened(page, service, blog)
    fill_in(thread, "Precious words")
    post(thread)
    expect(thread.get_by_role("alert")).to_have_text(
        "The service cannot be reached. Your text is kept; please try again."
    )
    expect(thread.get_by_label("Your comment")).to_have_value("Precious words")
    fits(thread)
    page.unroute_all()
    post(thread)
    texts(thread, "Precious words")
    expect(thread.locator("#form-error")).to_be_hidden()
    complaints.clear()


def test_an_answer_of_another_kind_keeps_the_text_too(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    page.route("**/embed/comments", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    thread = opened(page, service, blog)
    fill_in(thread, "Precious words")
    post(thread)
    expect(thread.get_by_role("alert")).to_have_text(
        "The service did not answer as it should. Your text is kept; please try again."
    )
    expect(thread.get_by_label("Your comment")).to_have_value("Precious words")
    complaints.clear()


def test_a_retry_of_what_had_arrived_posts_once(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/embed/comments", lose_the_answer)
    thread = opened(page, service, blog)
    fill_in(thread, "Only once")
    post(thread)
    expect(thread.get_by_role("alert")).to_be_visible()
    assert len(stored(service)) == 1
    page.unroute_all()
    post(thread)
    texts(thread, "Only once")
    assert len(stored(service)) == 1
    complaints.clear()


def test_a_form_open_for_days_is_sent_all_the_same(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    thread = opened(page, service, blog)
    fill_in(thread, "Slowly written")
    thread.locator("#reply [name=token]").evaluate("(field) => { field.value = 'too-old'; }")
    post(thread)
    texts(thread, "Slowly written")
    complaints.clear()


def test_a_repeated_comment_is_told(page: Page, service: Service, blog: Blog, complaints: list[str]) -> None:
    thread = opened(page, service, blog)
    fill_in(thread, "Said once")
    post(thread)
    texts(thread, "Said once")
    fill_in(thread, "Said  ONCE")
    post(thread)
    expect(thread.get_by_role("alert")).to_have_text(
        "Duplicate comment detected; it looks as though you've already said that!"
    )
    expect(thread.get_by_label("Your comment")).to_have_value("Said  ONCE")
    complaints.clear()


def test_a_form_whose_script_does_not_come_is_sent_as_a_page(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    write(service, blog, "First!")
    page.route("**/composer.js", lambda route: route.abort())
    thread = opened(page, service, blog)
    fill_in(thread, "All the same")
    post(thread)
    expect(frame(page).get_by_text("All the same")).to_be_visible()
    inside(page).get_by_role("link", name="Reply to Ada").click()
    expect(frame(page).get_by_role("heading", name="Leave a Reply to Ada")).to_be_visible()
    page.close()
    complaints.clear()


def test_a_form_sent_before_its_script_is_there_posts_in_place(
    page: Page, service: Service, blog: Blog
) -> None:
    """It was sent as a page; the script then took what had been posted for a draft, and showed it again."""
    waiting: list[Route] = []
    page.route("**/composer.js", lambda route: waiting.append(route))
    thread = opened(page, service, blog)
    fill_in(thread, "Sent early")
    post(thread)
    assert stored(service) == []
    waiting[0].continue_()
    texts(thread, "Sent early")
    expect(thread.get_by_text("Your comment is posted.")).to_be_attached()
    expect(thread.get_by_label("Your comment")).to_have_value("")


# --- What the browser keeps.


def test_a_draft_survives_a_reload_and_ends_with_the_post(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "One", "Two")
    thread = opened(page, service, blog)
    thread.get_by_role("link", name="Reply to Ada").last.click()
    expect(thread.get_by_role("heading", name="Leave a Reply to Ada")).to_be_visible()
    thread.get_by_label("Your comment").fill("A draft")
    page.reload()
    thread = inside(page)
    expect(thread.get_by_label("Your comment")).to_have_value("A draft")
    expect(thread.get_by_role("heading", name="Leave a Reply to Ada")).to_be_visible()
    fits(thread)
    thread.get_by_role("link", name="Newest").click()
    expect(frame(page).locator(".comment .text")).to_have_text(["Two", "One"])
    thread = inside(page)
    expect(thread.get_by_label("Your comment")).to_have_value("A draft")
    fill_in(thread, "A draft, finished")
    post(thread)
    texts(thread, "Two", "A draft, finished", "One")
    page.reload()
    expect(inside(page).get_by_label("Your comment")).to_have_value("")
    expect(inside(page).get_by_role("button", name="Post Comment")).to_be_hidden()


def test_a_draft_belongs_to_the_article_however_its_address_is_written(
    page: Page, service: Service, blog: Blog
) -> None:
    for path in ("/a", "/a/", "/other"):
        blog.pages[path] = article(service)
    page.goto(blog.url("/a"))
    inside(page).get_by_label("Your comment").fill("A draft")
    drafted(inside(page))
    for path in ("/a/", "/a?utm_source=mail", "/a/#comment-1"):
        page.goto(blog.url(path))
        expect(inside(page).get_by_label("Your comment")).to_have_value("A draft")
    page.goto(blog.url("/other"))
    inside(page).get_by_label("Your comment").focus()
    expect(inside(page).get_by_role("button", name="Post Comment")).to_be_visible()
    expect(inside(page).get_by_label("Your comment")).to_have_value("")
    page.goto(blog.url("/a?fbclid=x"))
    write(service, blog, "The thread begins meanwhile", path="/a/")
    page.reload()
    fill_in(inside(page), "A draft, finished")
    post(inside(page))
    texts(inside(page), "A draft, finished", "The thread begins meanwhile")
    page.goto(blog.url("/a"))
    inside(page).get_by_label("Your comment").focus()
    expect(inside(page).get_by_label("Your comment")).to_have_value("")


def test_a_draft_of_an_earlier_release_is_kept_once(page: Page, service: Service, blog: Blog) -> None:
    waiting: list[Route] = []
    page.route("**/composer.js", lambda route: waiting.append(route))
    thread = opened(page, service, blog)
    thread.get_by_label("Your comment").focus()
    thread.evaluate(
        """(at) => {
            const { page } = document.getElementById("thread").dataset;
            const link = page.replace(/&lang=.*/, ""); // it named no language
            localStorage[`commentsvc draft ${link}`] = JSON.stringify({ text: "From before", parent: "", at });
        }""",
        thread.evaluate("Date.now()"),
    )
    assert len(waiting) == 1  # in this tab the form's script begins after another tab has written
    waiting[0].continue_()
    loaded_form(thread)
    page.unroute_all()
    for _ in range(2):
        page.reload()
        expect(inside(page).get_by_label("Your comment")).to_have_value("From before")
    fill_in(inside(page), "Finished")
    post(inside(page))
    texts(inside(page), "Finished")
    page.reload()
    inside(page).get_by_label("Your comment").focus()
    expect(inside(page).get_by_role("button", name="Post Comment")).to_be_visible()
    expect(inside(page).get_by_label("Your comment")).to_have_value("")


def test_a_draft_of_another_tab_stays_there(context: BrowserContext, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service)
    one, two = context.new_page(), context.new_page()
    one.goto(blog.url())
    two.goto(blog.url())
    inside(two)
    inside(one).get_by_label("Your comment").fill("From one")
    drafted(inside(one))
    inside(two).get_by_label("Your comment").focus()
    expect(inside(two).get_by_role("button", name="Post Comment")).to_be_visible()
    expect(inside(two).get_by_label("Your comment")).to_have_value("")


def test_a_draft_is_forgotten_after_a_day(page: Page, service: Service, blog: Blog) -> None:
    thread = opened(page, service, blog)
    thread.get_by_label("Your comment").fill("A draft")
    drafted(thread)
    age = """(age) => {
        const key = Object.keys(localStorage).find((key) => key.startsWith("commentsvc draft"));
        const draft = JSON.parse(localStorage[key]);
        localStorage[key] = JSON.stringify({ ...draft, at: draft.at - age });
    }"""
    thread.evaluate(age, DAY - 60_000)
    page.reload()
    expect(inside(page).get_by_label("Your comment")).to_have_value("A draft")
    inside(page).evaluate(age, 120_000)
    page.reload()
    thread = inside(page)
    thread.wait_for_function(
        "() => !Object.keys(localStorage).some((key) => key.startsWith('commentsvc draft'))"
    )
    expect(thread.get_by_label("Your comment")).to_have_value("")


def test_details_are_remembered_only_when_asked(page: Page, service: Service, blog: Blog) -> None:
    thread = opened(page, service, blog)
    fill_in(thread, "One")
    expect(thread.get_by_role("checkbox")).not_to_be_checked()
    post(thread)
    texts(thread, "One")
    page.reload()
    thread = inside(page)
    thread.get_by_label("Your comment").fill("Two")
    expect(thread.get_by_role("textbox", name="Name")).to_have_value("")
    assert thread.evaluate("Object.keys(localStorage).filter((key) => !key.includes('draft'))") == []
    fill_in(thread, "Two")
    thread.get_by_role("checkbox").check()
    post(thread)
    texts(thread, "Two", "One")
    page.reload()
    thread = inside(page)
    thread.get_by_label("Your comment").focus()
    expect(thread.get_by_role("textbox", name="Name")).to_have_value("Grace")
    expect(thread.get_by_role("textbox", name="Email")).to_have_value("g@good.example")
    expect(thread.get_by_role("checkbox")).to_be_checked()
    thread.get_by_role("checkbox").uncheck()
    page.reload()
    thread = inside(page)
    thread.get_by_label("Your comment").focus()
    expect(thread.get_by_role("button", name="Post Comment")).to_be_visible()
    expect(thread.get_by_role("textbox", name="Name")).to_have_value("")
    assert thread.evaluate("Object.keys(localStorage)") == []


# --- Moderation.


def test_a_held_comment_is_shown_to_its_author_alone(
    page: Page, service: Service, blog: Blog, chromium: Browser
) -> None:
    change(service, blog, policy=Policy.HOLD_ALL)
    write_one = opened(page, service, blog)
    fill_in(write_one, "Patient words")
    post(write_one)
    expect(write_one.get_by_text("Your comment is awaiting moderation.").last).to_be_visible()
    expect(write_one.locator(".pending + .posted")).to_contain_text("Keep this link")
    texts(write_one, "Patient words")
    expect(write_one.get_by_role("heading", name="Awaiting moderation")).to_be_visible()
    page.reload()
    texts(inside(page), "Patient words")
    expect(inside(page).get_by_role("heading", name="Awaiting moderation")).to_be_visible()
    expect(inside(page).locator(".pending")).to_have_text("Your comment is awaiting moderation.")
    fits(inside(page))
    other = chromium.new_context()
    stranger = other.new_page()
    stranger.goto(blog.url())
    inside(stranger).get_by_label("Your comment").focus()
    expect(inside(stranger).get_by_role("button", name="Post Comment")).to_be_visible()
    expect(inside(stranger).locator(".comment")).to_have_count(0)
    other.close()
    assert held(service) == ["Patient words"]


def test_an_approved_author_needs_no_second_approval(page: Page, service: Service, blog: Blog) -> None:
    change(service, blog, policy=Policy.HOLD_FIRST)
    thread = opened(page, service, blog)
    fill_in(thread, "First words")
    post(thread)
    expect(thread.locator(".pending")).to_be_visible()
    approve(service, 1)
    page.reload()
    thread = inside(page)
    fill_in(thread, "More words")
    post(thread)
    texts(thread, "More words", "First words")
    expect(thread.locator(".pending")).to_have_count(0)
    assert held(service) == []


def test_a_closed_thread_can_be_read_but_not_answered(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First!")
    change(service, blog, policy=Policy.CLOSED)
    thread = opened(page, service, blog)
    texts(thread, "First!")
    expect(thread.get_by_text("Comments are closed.")).to_be_visible()
    expect(thread.get_by_role("textbox")).to_have_count(0)
    expect(thread.get_by_role("link", name="Reply")).to_have_count(0)
    fits(thread)


def test_a_thread_closed_while_somebody_writes_keeps_the_text(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    thread = opened(page, service, blog)
    fill_in(thread, "Too late")
    change(service, blog, policy=Policy.CLOSED)
    post(thread)
    expect(thread.get_by_role("alert")).to_have_text("Comments are closed.")
    expect(thread.get_by_label("Your comment")).to_have_value("Too late")
    complaints.clear()


# --- Preview.


def test_a_preview_shows_the_text_as_it_will_be(page: Page, service: Service, blog: Blog) -> None:
    thread = opened(page, service, blog)
    thread.get_by_label("Your comment").fill("Some **bold** words\n\n```python\nprint(1)\n```")
    tab = thread.get_by_role("tab", name="Preview")
    tab.click()
    expect(thread.locator("#preview strong")).to_have_text("bold")
    expect(thread.locator("#preview pre .hl-nb, #preview pre [class^=hl-]").first).to_be_visible()
    expect(tab).to_have_attribute("aria-selected", "true")
    expect(thread.locator("#text")).to_be_hidden()
    fits(thread)
    thread.get_by_role("tab", name="Write").click()
    expect(thread.locator("#text")).to_be_focused()
    expect(tab).to_have_attribute("aria-selected", "false")
    assert stored(service) == []


def test_a_fault_found_from_the_preview_shows_the_text_again(
    page: Page, service: Service, blog: Blog
) -> None:
    thread = opened(page, service, blog)
    fill_in(thread, "Words")
    thread.get_by_role("tab", name="Preview").click()
    expect(thread.locator("#preview")).to_have_text("Words")
    post(thread)
    texts(thread, "Words")
    expect(thread.locator("#preview")).to_be_hidden()
    expect(thread.get_by_label("Your comment")).to_be_visible()


def test_a_preview_too_many_says_so_and_keeps_the_text(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    services_of(service.app).limiters["previews"] = Limiter("1/hour")
    thread = opened(page, service, blog)
    fill_in(thread, "Words")
    tab = thread.get_by_role("tab", name="Preview")
    tab.click()
    expect(thread.locator("#preview")).to_have_text("Words")
    tab.click()
    expect(thread.locator("[data-error=text]")).to_contain_text("That was a lot in a short time.")
    expect(thread.get_by_label("Your comment")).to_have_value("Words")
    complaints.clear()


# --- Browsers that keep nothing.


def test_posting_works_where_storage_throws(page: Page, service: Service, blog: Blog) -> None:
    page.add_init_script(
        """for (const name of ["localStorage", "sessionStorage"])
            Object.defineProperty(window, name, { get() { throw new DOMException("no", "SecurityError"); } });"""
    )
    thread = opened(page, service, blog)
    fill_in(thread, "No storage")
    thread.get_by_role("checkbox").check()
    post(thread)
    texts(thread, "No storage")


@pytest.fixture
def forgetful(chromium: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser whose owner blocks cookies and all other storage."""
    path = chromium_finder.find()
    assert path is not None
    profile = tmp_path / "profile"
    (profile / "Default").mkdir(parents=True)
    blocked = {
        "profile": {"default_content_setting_values": {"cookies": 2}, "block_third_party_cookies": True}
    }
    (profile / "Default" / "Preferences").write_text(json.dumps(blocked))
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    context = chromium.browser_type.launch_persistent_context(
        profile, executable_path=path, args=[*SWITCHES, *root]
    )
    yield context
    context.close()


def test_posting_works_with_every_cookie_blocked(
    forgetful: BrowserContext, service: Service, blog: Blog
) -> None:
    change(service, blog, policy=Policy.HOLD_ALL)
    page = forgetful.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    thread = opened(page, service, blog)
    assert (
        thread.evaluate("(() => { try { return localStorage } catch { return 'refused' } })()") == "refused"
    )
    assert thread.evaluate("document.cookie = 'a=b', document.cookie") == ""
    fill_in(thread, "No cookies")
    thread.get_by_role("checkbox").check()
    post(thread)
    texts(thread, "No cookies")
    expect(thread.locator(".pending")).to_be_visible()
    assert held(service) == ["No cookies"]
    assert faults == []


def test_a_comment_of_another_tab_is_not_lost_by_this_ones_post(
    context: BrowserContext, service: Service, blog: Blog
) -> None:
    blog.pages["/"] = article(service)
    one, two = context.new_page(), context.new_page()
    one.goto(blog.url())
    two.goto(blog.url())
    fill_in(inside(one), "From one")
    fill_in(inside(two), "From two")
    one.bring_to_front()
    post(inside(one))
    texts(inside(one), "From one")
    two.bring_to_front()
    post(inside(two))
    texts(inside(two), "From two")
    assert [comment.source for comment in stored(service)] == ["From one", "From two"]
