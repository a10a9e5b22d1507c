"""Coming back to a thread, in a real browser: what is new is told in a quiet line, and strangers leave no trace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Frame, Page, expect
from sqlalchemy import select

from commentsvc.models import Comment
from tests.support.accessibility import serious_violations
from tests.support.browser import Blog, Service
from tests.support.frame_pages import LONG_READ, article, fill_in, fits, in_view, inside, post, write

SOON = timedelta(0)
HOUR = timedelta(hours=1)


def remembered(frame: Frame) -> Any:
    return frame.evaluate("() => JSON.parse(localStorage.getItem('commentsvc visits'))")


def came(page: Page, service: Service, blog: Blog, *, ticked: bool = True) -> int:
    """Comment as somebody whose details are kept, or not; return the comment's id."""
    blog.pages["/"] = article(service, before=LONG_READ)
    page.goto(blog.url())
    page.locator("comment-thread").scroll_into_view_if_needed()
    frame = inside(page)
    fill_in(frame, "My question")
    if ticked:
        frame.get_by_role("checkbox", name="Save my name").check()
    post(frame)
    mine = frame.locator(".comment", has_text="My question")
    expect(mine).to_be_visible()
    frame.wait_for_function("() => document.querySelector('.posted')")
    return int(str(mine.get_attribute("id")).removeprefix("comment-"))


def comes_back(page: Page, service: Service) -> Frame:
    """Let an hour pass, for the service and the browser, and open the article again."""
    with service.writing() as session:
        for comment in session.scalars(select(Comment)):
            comment.created_at -= HOUR
        session.commit()
    inside(page).evaluate(
        """(hour) => {
            const visits = JSON.parse(localStorage.getItem("commentsvc visits")) ?? {};
            for (const id in visits) visits[id] = visits[id].map((time) => time - hour);
            localStorage.setItem("commentsvc visits", JSON.stringify(visits));
        }""",
        HOUR.total_seconds() * 1000,
    )
    page.reload()
    page.locator("comment-thread").scroll_into_view_if_needed()
    return inside(page)


def test_answers_and_what_is_new_are_told_and_led_to(page: Page, service: Service, blog: Blog) -> None:
    mine = came(page, service, blog)
    first, second = write(service, blog, "An answer", "And another", parent=mine, ago=SOON)
    (third,) = write(service, blog, "Something else", ago=SOON)
    frame = comes_back(page, service)
    line = frame.locator("#news")
    expect(line).to_contain_text("2 answers to you")
    expect(line).to_contain_text("3 new since your last visit")
    expect(frame.locator("#status")).to_contain_text("2 answers to you")
    answers, new = line.locator("a").all()
    answers.click()
    in_view(page, first)
    expect(answers).to_have_text("2 answers to you (1/2)")
    answers.press("Enter")
    in_view(page, second)
    expect(answers).to_have_text("2 answers to you (2/2)")
    answers.press("Enter")
    in_view(page, first)
    for comment in (first, second, third):
        new.press("Enter")
        in_view(page, comment)
    mark = "(id) => getComputedStyle(document.querySelector(`#comment-${id} .when`), '::after').content"
    assert [frame.evaluate(mark, one) for one in (mine, first, third)] == ["none", '" · new"', '" · new"']
    fits(frame)
    assert serious_violations(frame) == []
    page.reload()  # the same visit
    page.locator("comment-thread").scroll_into_view_if_needed()
    expect(inside(page).locator("#news")).to_contain_text("2 answers to you")
    frame = comes_back(page, service)
    expect(frame.get_by_label("Your comment")).to_be_visible()
    frame.wait_for_function("() => document.querySelector('[name=author_key]').value")
    expect(frame.locator("#news")).to_have_count(0)


def test_the_line_moves_nothing(page: Page, service: Service, blog: Blog) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    mine = came(page, service, blog)
    write(service, blog, "An answer", parent=mine, ago=SOON)
    write(service, blog, "Something else", ago=SOON)
    frame = comes_back(page, service)
    expect(frame.locator("#news a").last).to_be_visible()
    frame.wait_for_function("() => getComputedStyle(document.getElementById('news')).display === 'flex'")
    top = "() => document.querySelector('.list-head').getBoundingClientRect().top"
    with_line = frame.evaluate(top)
    assert frame.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    frame.evaluate("() => document.getElementById('news').remove()")
    assert frame.evaluate(top) == with_line


def test_an_answer_on_a_later_page_is_led_to_and_marked(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, *(f"Comment {number}" for number in range(60)), ago=timedelta(days=1))
    mine = came(page, service, blog)
    (answer,) = write(service, blog, "A late answer", parent=mine, ago=SOON)
    frame = comes_back(page, service)
    expect(frame.locator(f"#comment-{answer}")).to_have_count(0)
    link = frame.locator("#news a")
    expect(link).to_have_text("1 answer to you")
    link.click()
    in_view(page, answer)
    mark = f"() => getComputedStyle(document.querySelector('#comment-{answer} .when'), '::after').content"
    assert frame.evaluate(mark) == '" · new"'


@pytest.mark.parametrize("ticked", [False, True])
def test_only_a_browser_that_knows_its_reader_remembers_visits(
    page: Page, service: Service, blog: Blog, ticked: bool
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service, before=LONG_READ)
    page.goto(blog.url())
    page.locator("comment-thread").scroll_into_view_if_needed()
    frame = inside(page)
    frame.get_by_label("Your comment").click()
    frame.wait_for_function("() => document.querySelector('[name=author_key]').value")
    assert remembered(frame) is None
    came(page, service, blog, ticked=ticked)
    frame = inside(page)
    assert bool(remembered(frame)) is ticked
    if ticked:
        frame.get_by_label("Your comment").click()
        frame.get_by_role("checkbox", name="Save my name").uncheck()
        assert remembered(frame) is None


def test_tabs_of_several_articles_keep_each_others_visits(page: Page, service: Service, blog: Blog) -> None:
    came(page, service, blog)
    frame = inside(page)
    frame.evaluate(
        """() => {
            const visits = JSON.parse(localStorage.getItem("commentsvc visits"));
            localStorage.setItem("commentsvc visits", JSON.stringify({ ...visits, "1 /elsewhere": [1, 2] }));
        }"""
    )
    before = remembered(frame)
    with page.expect_response("**/embed/own?**") as answer:
        frame.evaluate("() => dispatchEvent(new Event('focus'))")
    frame.wait_for_function(
        "(visit) => Object.values(JSON.parse(localStorage.getItem('commentsvc visits'))).at(-1)[1] === visit",
        arg=answer.value.json()["visit"][1],
    )
    assert list(remembered(frame)) == ["1 /elsewhere", *(name for name in before if name != "1 /elsewhere")]


def test_visits_to_fifty_threads_are_remembered(page: Page, service: Service, blog: Blog) -> None:
    came(page, service, blog)
    frame = inside(page)
    frame.evaluate(
        """() => {
            const visits = JSON.parse(localStorage.getItem("commentsvc visits"));
            for (let other = 0; other < 60; other++) visits[`1 /${other}`] = [1, 2];
            localStorage.setItem("commentsvc visits", JSON.stringify(visits));
        }"""
    )
    own = frame.evaluate("() => document.getElementById('thread').dataset.thread")
    frame = comes_back(page, service)
    frame.wait_for_function(
        "() => Object.keys(JSON.parse(localStorage.getItem('commentsvc visits'))).length === 50"
    )
    names = list(remembered(frame))
    assert names[-1] == own
    assert names[0] == "1 /11"


def test_with_storage_refused_nothing_is_told_and_nothing_breaks(
    context: BrowserContext, service: Service, blog: Blog
) -> None:
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError'); } })"
    )
    page = context.new_page()
    mine = came(page, service, blog)
    write(service, blog, "An answer", parent=mine, ago=SOON)
    page.reload()
    page.locator("comment-thread").scroll_into_view_if_needed()
    frame = inside(page)
    expect(frame.get_by_text("An answer")).to_be_visible()
    fill_in(frame, "Once more")
    post(frame)
    expect(frame.get_by_text("Posted. Thank you.")).to_be_visible()
    expect(frame.locator("#news")).to_have_count(0)
