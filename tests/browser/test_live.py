"""A thread that stays open, in a real browser whose clock the test moves: what comes is offered, and nothing moves."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

from playwright.sync_api import Frame, Page, expect

from commentsvc.domain.moderation import decisions
from commentsvc.domain.threads import threads
from commentsvc.models import Comment, Status, now
from tests.support.accessibility import serious_violations
from tests.support.browser import PATIENCE, Blog, Service
from tests.support.frame_pages import article, in_view, inside, loaded_form, loaded_module, write

LATER = 130_000
"""More than the longest time between two requests, in milliseconds."""
SECONDS = 1000


def opened(page: Page, service: Service, blog: Blog) -> tuple[Frame, list[str]]:
    """Open the article, and let the module come that follows the thread; return the frame and what it asks for."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url) if "&live=1" in request.url else None)
    page.clock.install()
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    frame = inside(page)
    with page.expect_request("**/live.js"):
        page.clock.fast_forward(20 * SECONDS)
    loaded_module(frame, "live.js")
    return frame, requests


def ask(page: Page, frame: Frame, requests: list[str]) -> None:
    """Let time pass until the frame asks once more; by then it has read the answer before."""
    number, patience = len(requests), monotonic() + PATIENCE
    while len(requests) == number:
        assert monotonic() < patience, "the frame asks no more"
        frame.evaluate("() => dispatchEvent(new Event('keydown'))")  # somebody is there
        page.clock.fast_forward(LATER)


def hide(frame: Frame, hidden: bool) -> None:
    """Say to the frame what a browser says of a tab in the background; headless ones have no such tabs."""
    frame.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def edit(service: Service, comment_id: int, html: str) -> None:
    with service.writing() as session:
        comment = session.get_one(Comment, comment_id)
        comment.html, comment.edited_at = html, now()
        threads.mark_changed(session, comment.thread_id)
        session.commit()


def test_new_comments_wait_for_a_click_and_nothing_moves(page: Page, service: Service, blog: Blog) -> None:
    first, second = write(service, blog, "First", "Second")
    frame, requests = opened(page, service, blog)
    field = frame.get_by_label("Your comment")
    field.fill("Half a sentence")
    loaded_form(frame)
    where = "() => [...document.querySelectorAll('.comment')].map((one) => one.getBoundingClientRect().top)"
    (reply,) = write(service, blog, "A reply", parent=first)
    (third,) = write(service, blog, "Third")
    before = frame.evaluate(where)
    ask(page, frame, requests)
    offer = frame.get_by_role("button", name="2 new comments")
    expect(offer).to_be_visible()
    expect(frame.locator("#status")).to_have_text("2 new comments")
    expect(frame.locator("#count")).to_have_text("4 Comments")
    assert frame.evaluate(where) == before
    assert serious_violations(frame) == []
    expect(field).to_be_focused()
    with service.writing() as session:
        decisions.decide(session, session.get_one(Comment, second), Status.SPAM)
        session.commit()
    edit(service, first, "<p>First, edited</p>")
    ask(page, frame, requests)
    expect(frame.locator(f"#comment-{second}")).to_have_text("This comment was removed.")
    expect(frame.locator(f"#comment-{first} .text")).to_have_text("First")
    assert frame.evaluate(where) == before
    expect(field).to_be_focused()
    offer.click()
    expect(offer).to_have_count(0)
    expect(frame.locator(f"#comment-{first} .text")).to_have_text("First, edited")
    ids = frame.locator("#comments .comment").evaluate_all("(all) => all.map(({ id }) => +id.slice(8))")
    assert ids == [first, reply, second, third]
    in_view(page, reply)
    expect(field).to_have_value("Half a sentence")


def test_what_is_on_later_pages_is_not_new_but_what_answers_it_is(
    page: Page, service: Service, blog: Blog
) -> None:
    *_, late = write(service, blog, *(f"Comment {number}" for number in range(52)))
    frame, requests = opened(page, service, blog)
    expect(frame.locator("#comments > li")).to_have_count(50)
    new, newer = write(service, blog, "New, before the page first asks", "Newer", ago=timedelta())
    (reply,) = write(service, blog, "An answer to one on a later page", parent=late, ago=timedelta())
    (old,) = write(service, blog, "Written long ago, and approved now")
    ask(page, frame, requests)
    offer = frame.get_by_role("button", name="new comment")
    expect(offer).to_have_text("4 new comments")
    offer.click()
    for comment in (late, reply, old):
        expect(frame.locator(f"#comment-{comment}")).to_be_visible()
    in_view(page, new)
    last = frame.locator("#comments > li > .comment").evaluate_all(
        "(all) => all.slice(-2).map(({ id }) => id)"
    )
    assert last == [f"comment-{new}", f"comment-{newer}"]
    ask(page, frame, requests)
    expect(offer).to_have_count(0)


def test_a_hidden_thread_asks_nothing_and_a_busy_service_is_left_alone(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    (first,) = write(service, blog, "First")
    frame, requests = opened(page, service, blog)
    ask(page, frame, requests)
    edit(service, first, "<p>Edited</p>")
    ask(page, frame, requests)
    ask(page, frame, requests)
    expect(frame.locator(f"#comment-{first} .text")).to_have_text("First")
    hide(frame, True)
    expect(frame.locator(f"#comment-{first} .text")).to_have_text("Edited")
    number = len(requests)
    page.clock.fast_forward(10 * LATER)
    assert len(requests) == number
    with page.expect_response(lambda response: "&live=1" in response.url) as answer:
        hide(frame, False)
        page.clock.fast_forward(2 * SECONDS)
    assert answer.value.status == 304
    for _ in range(40):  # half an hour without anybody, then nothing more
        page.clock.fast_forward(60 * SECONDS)
    number = len(requests)
    page.clock.fast_forward(10 * LATER)
    assert len(requests) == number
    page.route("**/embed?**live=1", lambda route: route.fulfill(status=503, headers={"Retry-After": "300"}))
    with page.expect_console_message(lambda message: "503" in message.text):
        frame.evaluate("() => dispatchEvent(new Event('keydown'))")
        page.clock.fast_forward(2 * SECONDS)
    number = len(requests)
    page.clock.fast_forward(299 * SECONDS)
    assert len(requests) == number
    complaints.clear()
