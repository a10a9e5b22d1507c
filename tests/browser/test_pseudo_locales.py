"""Every view in a language that is 40 % longer than English, and in one from right to left, on the narrowest screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Frame, Page, expect

from commentsvc import messages
from commentsvc.db.session import begin_write
from commentsvc.domain.accounts import accounts
from commentsvc.languages import LANGUAGES
from tests.support.accessibility import serious_violations
from tests.support.admin_pages import pages, seeded
from tests.support.admin_queue import AdminQueue, queue_in
from tests.support.browser import Blog, Service
from tests.support.browser_client import link_for
from tests.support.frame_pages import article, inside, loaded_form, write
from tests.support.pseudo import FAULTS, Long, RightToLeft

WIDTH = 320
PSEUDO = {"de": Long(), "ar": RightToLeft()}


@pytest.fixture(params=list(PSEUDO))
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, page: Page) -> str:
    """Speak a language that nobody speaks under the name of another, for the admin view too."""
    code = str(request.param)
    monkeypatch.setattr(messages, "_catalogue", lambda _: PSEUDO[code])
    monkeypatch.setitem(LANGUAGES, code, replace(LANGUAGES[code], admin=True))
    page.set_viewport_size({"width": WIDTH, "height": 800})
    page.set_extra_http_headers({"Accept-Language": code})
    return code


@pytest.fixture
def it(service: Service) -> Iterator[AdminQueue]:
    """The queue of the running service."""
    with queue_in(service.app, service.url) as queue:
        yield queue


def faults(view: Page | Frame) -> list[str]:
    result: list[str] = view.evaluate(FAULTS)
    return result


def test_readers_see_only_words_of_their_language(
    page: Page, service: Service, blog: Blog, language: str, complaints: list[str]
) -> None:
    one, _ = write(service, blog, "1", "2")
    write(service, blog, *"1234567", parent=one, name="3")
    blog.pages["/"] = article(service).replace('lang="en"', f'lang="{language}"')
    page.goto(blog.url())
    thread = inside(page)
    expect(thread.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
    assert faults(thread) == []
    thread.locator("#text").focus()
    loaded_form(thread)
    thread.locator("#reply button[type=submit]").last.click()
    expect(thread.locator("#text-error")).to_be_visible()
    assert faults(thread) == []
    assert serious_violations(thread) == []
    fill_in_fields(thread)
    thread.locator("#reply button[type=submit]").last.click()
    receipt = thread.locator(".posted a").first
    expect(receipt).to_be_visible()
    assert faults(thread) == []
    link = receipt.get_attribute("href") or ""
    thread.locator(".menu summary").first.click()
    expect(thread.locator(".menu[open] a").first).to_be_visible()
    assert faults(thread) == []
    wrong = []
    article_url = blog.url()
    paths = [
        link if link.startswith("/") else link.removeprefix(service.url),
        f"/thread?url={article_url}",
        f"/thread?url={article_url}&reply={one}",
        f"/thread/comments/{one}/report?url={article_url}",
        f"/latest?origin={blog.origin}&lang={language}",
        "/account",
        "/login/opening",
        "/privacy",
        "/nowhere",
    ]
    for path in paths:
        page.goto(service.url + path)
        wrong += [(path, fault) for fault in faults(page)]
    assert wrong == [], "\n".join(map(str, wrong))
    complaints.clear()  # the browser tells every answer of 4xx


def fill_in_fields(thread: Frame) -> None:
    thread.locator("#text").fill("4")
    thread.locator("#email").fill("g@good.example")
    thread.locator("#name").fill("5")


def test_moderators_see_only_words_of_their_language(
    page: Page, service: Service, it: AdminQueue, language: str
) -> None:
    known = seeded(it)
    begin_write(it.session)
    owner = accounts.operator(it.session)
    owner.language = language  # Chromium sends its own Accept-Language
    it.session.commit()
    page.goto(f"{service.url}/admin/sign-in/{link_for(it.session, owner)}")
    page.locator("main button").first.click()
    expect(page.locator("html")).to_have_attribute("lang", language)
    wrong: list[Any] = []
    for path in pages(it, known):
        page.goto(service.url + path)
        wrong += [(path, fault) for fault in faults(page)]
    assert wrong == [], "\n".join(map(str, wrong))
