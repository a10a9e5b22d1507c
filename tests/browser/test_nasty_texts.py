"""Texts and names made to widen a page or to cover what stands beside them, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from commentsvc.domain import fields
from commentsvc.errors import InvalidFieldsError
from commentsvc.models import Comment
from tests.browser.test_admin_queue import enter
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, fits, inside, write

PHONE = ViewportSize(width=360, height=740)
UNITS = [
    *("W", "\u1100", "\uac00\u11a8", "\u1161", "\U0001f1e9", "\ufdfd", "\U00012031", "\U0001242b", "\u2e3b"),
    *("a\u2060", "a\u00a0", "a\u202f", "a\u200d", "\U0001f468\u200d", "\U0001f44d\U0001f3fb", "\U0001f3fb", "\uff9e"),
    *("\u0915\u094d", "\u0600", "\u0e47", "e\u0301", "\u0903", "\u0d4e\u0d15", "\u17d2\u1780"),
    *("\u0b95\u0bcd", "\u0f40\u0f90", "\u115f", "-", "\u2011", "\u3164"),
    *("\u2800", "\ua960", "\ud7b0", "\u0378", "\U00016d63", "https://a.test/"),
]  # fmt: skip
TOO_WIDE = """() => [...document.querySelectorAll(".text, .name, .site h1, .site p, .item bdi")].filter((element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return !element.closest(".visually-hidden") && [...range.getClientRects()].some(
        ({ left, right }) => left < -1 || right > innerWidth + 1);
}).map((element) => element.textContent.trim().slice(0, 20)).concat(
    document.documentElement.scrollWidth > innerWidth ? ["the page"] : [])"""


def flood(unit: str) -> str:
    return unit * (400 // len(unit))


def nasty() -> list[tuple[str, str]]:
    """Every nasty text with a nasty name; then quotes in quotes, and a long list."""
    results = []
    for number, unit in enumerate(UNITS):
        try:
            name = fields.name(flood(unit)[: fields.NAME_LONGEST])
        except InvalidFieldsError:
            name = "Ada"
        results.append((f"{number} {flood(unit)}\n\n`{flood(unit)}`\n\n> > > > - {flood(unit)}", name))
    numbers = "\n".join(f"{number}. b" for number in range(1, 120))
    return [*results, ("> " * 25 + flood("W"), "Ada"), (numbers, "Ada")]


def test_nothing_is_wider_than_a_phone(chromium: Browser, service: Service, blog: Blog) -> None:
    parent = write(service, blog, "Root")[0]
    for text, name in nasty():
        parent = write(service, blog, text, name=name, parent=parent)[0]
    blog.pages["/"] = article(service)
    context = chromium.new_context(viewport=PHONE, java_script_enabled=True)
    page = context.new_page()
    page.goto(blog.url())
    fits(inside(page))
    assert inside(page).evaluate(TOO_WIDE) == []
    for query in ("", "&order=newest"):
        page.goto(f"{service.url}/thread?url={quote(blog.url())}{query}")
        assert page.evaluate(TOO_WIDE) == []
    context.close()


@pytest.fixture
def queue(service: Service) -> Iterator[AdminQueue]:
    with queue_in(service.app, service.url) as queue:
        yield queue


def test_the_queue_is_no_wider_than_a_phone(page: Page, service: Service, queue: AdminQueue) -> None:
    for text, name in nasty():
        queue.write(text, guest=fields.Guest(name=name))
    page.set_viewport_size(PHONE)
    enter(page, service, queue)
    assert page.locator(".item").count() > 10
    assert page.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize("column", ["html", "guest_name"])
def test_what_was_stored_before_covers_no_other_comment(
    page: Page, service: Service, blog: Blog, column: str
) -> None:
    """The styles hold where a text was kept as it came: the first comment looks the same beside any second."""
    tower = "e" + "\u0301\u0302\u0303" * 500 + " e" + "\u0e47" * 400
    looks = []
    for path in ("/harmless", "/"):
        _, second = write(service, blog, "First\n\nwords", "Second", path=path)
        if path == "/":
            with service.writing() as session:
                value = f"<p>{tower}</p>" if column == "html" else tower[:80]
                setattr(session.get_one(Comment, second), column, value)
                session.commit()
        page.goto(f"{service.url}/thread?url={quote(blog.url(path))}")
        assert ("\u0301" in page.locator(".comment").last.inner_text()) is (path == "/")
        looks.append(page.locator(".comment").first.screenshot())
    assert looks[0] == looks[1]
