"""A flood as readers meet it in a real browser."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from commentsvc.models import Pressure, Status
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, change, fill_in, inside, post, stored, write


def burst(service: Service, blog: Blog, many: int) -> None:
    """Let so many comments arrive under the article within the last minute."""
    texts = (f"Me too, {many} {number}" for number in range(many))
    write(service, blog, *texts, ago=timedelta(seconds=many + 1))


def steps(service: Service) -> list[int]:
    with service.writing() as session:
        return [row.step for row in session.scalars(select(Pressure).order_by(Pressure.id))]


def last(service: Service) -> tuple[str, Status]:
    comment = stored(service)[-1]
    return comment.source, comment.status


def say(page: Page, text: str) -> None:
    thread = inside(page)
    fill_in(thread, text)
    post(thread)
    expect(thread.locator(".comment", has_text=text)).to_be_visible()


def test_a_burst_raises_the_steps_and_people_notice_nothing(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service)
    change(service, blog, valve=True)
    burst(service, blog, 12)
    page.goto(blog.url())
    say(page, "See https://a.example/ for more")
    assert (steps(service), last(service)[1]) == ([1], Status.HELD)
    burst(service, blog, 22)
    assert steps(service) == [2]
    page.reload()
    say(page, "I am a person")
    assert last(service) == ("I am a person", Status.APPROVED)
    expect(inside(page).get_by_role("status")).to_have_text("Your comment is posted.")
    expect(page.locator("body")).not_to_contain_text("awaiting")


def test_without_script_a_comment_goes_to_the_queue(chromium: Browser, service: Service, blog: Blog) -> None:
    change(service, blog, valve=True)
    burst(service, blog, 34)
    context = chromium.new_context(locale="en-GB", java_script_enabled=False)
    plain = context.new_page()
    plain.goto(f"{service.url}/thread?url={quote(blog.url())}")
    fill_in(plain, "No script here")
    post(plain)
    expect(plain.locator(".comment.held")).to_contain_text("No script here")
    assert last(service) == ("No script here", Status.HELD)
    context.close()
