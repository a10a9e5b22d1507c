"""Reading a thread in the frame, in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Frame, Page, expect

from commentsvc.domain.moderation import decisions
from commentsvc.models import Comment, Order, Status
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, fill_in, fits, frame, inside, post, write


def opened(page: Page, service: Service, blog: Blog) -> Frame:
    """Go to the article and return its frame."""
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    return inside(page)


def texts(frame: Frame, *expected: str) -> None:
    """Wait until the thread shows these comments and no others, in this order."""
    expect(frame.locator(".comment .text")).to_have_text(list(expected))


def remove(service: Service, comment_id: int) -> None:
    with service.writing() as session:
        decisions.decide(session, session.get_one(Comment, comment_id), Status.TRASH)
        session.commit()


# --- More.


def test_more_comments_are_added_below_without_a_reload(page: Page, service: Service, blog: Blog) -> None:
    every = [f"Comment {number}" for number in range(120)]
    write(service, blog, *every)
    thread = opened(page, service, blog)
    texts(thread, *every[:50])
    more = thread.get_by_role("link", name="Show more comments")
    more.focus()
    more.press("Enter")
    texts(thread, *every[:100])
    expect(thread.locator("#comment-51")).to_be_focused()
    more.click()
    texts(thread, *every)
    expect(more).to_have_count(0)
    fits(thread)


def test_a_comment_written_before_more_were_shown_is_not_shown_twice(
    page: Page, service: Service, blog: Blog
) -> None:
    every = [f"Comment {number}" for number in range(60)]
    write(service, blog, *every)
    thread = opened(page, service, blog)
    fill_in(thread, "Mine")
    post(thread)
    texts(thread, "Mine", *every[:50])
    thread.get_by_role("link", name="Show more comments").click()
    texts(thread, "Mine", *every)


def test_more_replies_go_under_what_they_answer(page: Page, service: Service, blog: Blog) -> None:
    (root,) = write(service, blog, "Root")
    one, two, three, four, five = write(service, blog, "1", "2", "3", "4", "5", parent=root)
    write(service, blog, "1.1", parent=one)
    (under_five,) = write(service, blog, "5.1", parent=five)
    write(service, blog, "3.1", "3.2", parent=three)
    write(service, blog, "5.1.1", parent=under_five)
    write(service, blog, "6", parent=root)
    write(service, blog, "Root too")
    thread = opened(page, service, blog)
    texts(thread, "Root", "1", "2", "3", "4", "5", "Root too")
    thread.get_by_role("link", name="Show 6 more replies").click()
    texts(thread, "Root", "1", "1.1", "2", "3", "3.1", "3.2", "4", "5", "5.1", "5.1.1", "6", "Root too")
    expect(thread.locator(".reply").nth(1)).to_have_class("reply indent-2")
    expect(thread.locator("[data-more]")).to_have_count(0)
    fits(thread)
    assert two
    assert four


def test_replies_read_in_one_order_whichever_way_they_came(page: Page, service: Service, blog: Blog) -> None:
    """By permalink first, then the ones before and after it."""
    (root,) = write(service, blog, "Root")
    replies = write(service, blog, *(str(number) for number in range(1, 21)), parent=root)
    blog.pages["/"] = article(service)
    page.goto(blog.url(f"/#comment-{replies[14]}"))
    thread = inside(page)
    texts(thread, "Root", "1", "2", "3", "4", "5", "15")
    thread.get_by_role("link", name="Show 15 more replies").click()
    texts(thread, "Root", *(str(number) for number in range(1, 21)))


def test_a_half_written_answer_survives_more_replies_and_permalinks(
    page: Page, service: Service, blog: Blog
) -> None:
    (root,) = write(service, blog, "Root")
    replies = write(service, blog, *(str(number) for number in range(1, 61)), parent=root, name="Bob")
    thread = opened(page, service, blog)
    thread.get_by_role("link", name="Reply to Bob").first.click()
    expect(thread.get_by_role("heading", name="Leave a Reply to Bob")).to_be_visible()
    thread.get_by_label("Your comment").fill("Half a thought")
    page.evaluate(f"location.hash = 'comment-{replies[40]}'")
    expect(thread.locator(f"#comment-{replies[40]}")).to_be_visible()
    thread.get_by_role("link", name="Show 55 more replies").click()
    expect(thread.locator(".reply")).to_have_count(55)
    thread.get_by_role("link", name="Show 5 more replies").click()
    expect(thread.locator(".reply")).to_have_count(60)
    expect(thread.locator(f"#comment-{replies[0]} + form")).to_be_visible()
    expect(thread.get_by_label("Your comment")).to_have_value("Half a thought")


def test_more_that_does_not_come_can_be_asked_for_again(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    write(service, blog, *(f"Comment {number}" for number in range(60)))
    thread = opened(page, service, blog)
    page.route("**/embed?*fragment=1", lambda route: route.abort())
    more = thread.get_by_role("link", name="Show more comments")
    more.click()
    expect(more).to_have_text("Show more comments (that did not work; try again)")
    with page.expect_event("requestfailed"):  # or the text would still be that of the first click
        more.click()
    expect(more).to_have_text("Show more comments (that did not work; try again)")
    page.unroute_all()
    more.click()
    expect(thread.locator(".conversation")).to_have_count(60)
    complaints.clear()


# --- Order and time.


def test_readers_choose_the_order(page: Page, service: Service, blog: Blog) -> None:
    every = [f"Comment {number}" for number in range(55)]
    write(service, blog, *every)
    thread = opened(page, service, blog)
    expect(thread.get_by_role("link", name="Oldest")).to_have_attribute("aria-current", "true")
    thread.get_by_role("link", name="Newest").click()
    expect(frame(page).locator(".comment .text").first).to_have_text("Comment 54")
    thread = inside(page)
    expect(thread.get_by_role("link", name="Newest")).to_have_attribute("aria-current", "true")
    thread.get_by_role("link", name="Show more comments").click()
    texts(thread, *reversed(every))
    fits(thread)


def test_a_page_chooses_the_order_for_its_readers(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "One", "Two")
    blog.pages["/"] = article(service, thread=f'<div id="comments" data-order="{Order.NEWEST}"></div>')
    page.goto(blog.url())
    texts(inside(page), "Two", "One")


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5, seconds=10), "5 minutes ago"),
        (timedelta(hours=3, minutes=1), "3 hours ago"),
        (timedelta(days=1, hours=22), "1 day ago"),
        (timedelta(days=800), "2 years ago"),
    ],
    ids=["now", "minutes", "hours", "day", "years"],
)
def test_times_are_told_as_people_say_them(
    page: Page, service: Service, blog: Blog, ago: timedelta, words: str
) -> None:
    write(service, blog, "One", ago=ago)
    thread = opened(page, service, blog)
    expect(thread.locator("time")).to_have_text(words)


def test_the_exact_time_shows_on_hover_as_this_reader_writes_it(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "One")
    time = opened(page, service, blog).locator("time")
    at = time.get_attribute("datetime") or ""
    expect(time).to_have_attribute("title", re.compile(rf"{at[:4]}, {at[11:16]} UTC$"))
    time.hover()
    expect(time).to_have_attribute("title", re.compile(rf"{at[:4]} at {at[11:16]}$"))


def test_times_go_on_while_the_page_is_open(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "One", ago=timedelta(seconds=20))
    page.clock.install()
    thread = opened(page, service, blog)
    expect(thread.locator("time")).to_have_text("just now")
    page.clock.fast_forward(180_000)
    expect(thread.locator("time")).to_have_text("3 minutes ago")


# --- What is hard to show.


def test_a_removed_comment_stands_where_it_was_answered(page: Page, service: Service, blog: Blog) -> None:
    one, _ = write(service, blog, "One", "Two")
    (answer,) = write(service, blog, "An answer", parent=one)
    write(service, blog, "On that", parent=answer)
    remove(service, one)
    remove(service, answer)
    thread = opened(page, service, blog)
    expect(thread.locator(".removed")).to_have_text(["This comment was removed."] * 2)
    texts(thread, "On that", "Two")
    expect(thread.locator(".placeholder").get_by_role("link")).to_have_count(0)
    expect(thread.get_by_role("heading", name="2 Comments")).to_be_visible()
    assert "Ada" not in thread.locator(".placeholder").first.inner_text()


def test_three_hundred_answers_to_each_other_stay_readable_on_a_phone(
    page: Page, service: Service, blog: Blog
) -> None:
    (last,) = write(service, blog, "Root")
    for number in range(1, 301):
        (last,) = write(service, blog, f"A reply with some words in it, number {number}", parent=last)
    page.set_viewport_size({"width": 360, "height": 700})
    thread = opened(page, service, blog)
    for count in (*range(55, 301, 50), 300):
        thread.locator("[data-more]").click()
        expect(thread.locator(".reply")).to_have_count(count)
    fits(thread)
    widths = thread.locator(".reply .text").evaluate_all("(texts) => texts.map((text) => text.clientWidth)")
    assert min(widths) > 200
    assert len(set(widths[4:])) == 1
    names = thread.locator(".reply .in-reply-to").evaluate_all("(links) => links.length")
    assert names == 299


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_somebody_writes_is_wider_than_the_thread(
    page: Page, service: Service, blog: Blog, width: int
) -> None:
    word = "w" * 600
    code = "```\n" + "c" * 600 + "\n```"
    (root,) = write(service, blog, word, name="N" * 80)
    write(service, blog, code, f"> - {word}", f"`{word}`", f"https://good.example/{word}", parent=root)
    write(service, blog, "漢" * 400, "🦊" * 200, "\u0300" * 9 + "x" * 200)
    page.set_viewport_size({"width": width, "height": 700})
    thread = opened(page, service, blog)
    fits(thread)
    block = thread.locator(".comment pre")
    assert block.evaluate("(block) => block.scrollWidth > block.clientWidth")
    assert block.evaluate("(block) => { block.scrollLeft = 100; return block.scrollLeft }") == 100
    outside = thread.locator(".comment *").evaluate_all(
        """(elements) => elements.filter((element) =>
            !element.closest("pre, .visually-hidden") && element.getBoundingClientRect().right > innerWidth).length"""
    )
    assert outside == 0
    thread.get_by_role("link", name="Reply to N").first.click()
    fits(thread)


def test_each_text_reads_in_its_own_direction(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "שלום לכולם", name="דנה")
    write(service, blog, "Hello")
    thread = opened(page, service, blog)
    expect(thread.locator(".comment .text").first).to_have_css("direction", "rtl")
    expect(thread.locator(".comment .text").last).to_have_css("direction", "ltr")
    thread.get_by_label("Your comment").fill("مرحبا")
    expect(thread.get_by_label("Your comment")).to_have_css("direction", "rtl")


def test_the_name_of_whom_a_reply_answers_leads_there(page: Page, service: Service, blog: Blog) -> None:
    (root,) = write(service, blog, "Root")
    (one,) = write(service, blog, "One", parent=root, name="Bob")
    write(service, blog, "Two", parent=one)
    thread = opened(page, service, blog)
    thread.locator(".in-reply-to").click()
    expect(thread.locator(f"#comment-{one}")).to_have_class("comment highlighted")
    assert page.url == blog.url()


# --- The thread's own page.


def test_a_thread_has_a_page_of_its_own(page: Page, service: Service, blog: Blog) -> None:
    every = [f"Comment {number}" for number in range(60)]
    write(service, blog, *every)
    page.goto(f"{service.url}/thread?url={blog.url()}")
    thread = page.main_frame
    texts(thread, *every[:50])
    expect(page.get_by_role("link", name="Blog", exact=True)).to_have_attribute("href", blog.url())
    thread.get_by_role("link", name="Show more comments").click()
    texts(thread, *every)
    fill_in(thread, "Written here")
    post(thread)
    texts(thread, "Written here", *every)
    expect(thread.locator("#comment-61")).to_be_in_viewport()
    page.goto(f"{service.url}/thread?url={blog.url()}#comment-40")
    expect(thread.locator("#comment-40")).to_be_in_viewport()
