"""A thread speaks the language of the page around it."""

from __future__ import annotations

import re
from datetime import timedelta
from gettext import NullTranslations

import pytest
from playwright.sync_api import Page, expect

from commentsvc import messages
from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, fill_in, frame, inside, post, write


class Marked(NullTranslations):
    """Words of no language: ours in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)


def test_a_thread_speaks_the_language_of_the_page(
    page: Page, service: Service, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "_catalogue", lambda code: Marked() if code == "ar" else NullTranslations())
    write(service, blog, "One", ago=timedelta(minutes=5, seconds=10))
    text = article(service)
    blog.pages["/"] = text.replace('<html lang="en">', '<html lang="ar">')
    page.goto(blog.url())
    thread = inside(page)
    assert thread.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    expect(page.locator("iframe")).to_have_attribute("title", "⟦Comments⟧")
    time = thread.locator("time")
    expect(time).to_have_text("قبل 5 دقائق")
    time.hover()
    expect(time).to_have_attribute("title", re.compile("20[0-9]{2}"))  # Latin digits, in our calendar
    thread.get_by_role("link", name="Ada").click()
    expect(frame(page).get_by_role("heading", name="⟦Leave a Reply to Ada⟧")).to_be_visible()
    fill_in(frame(page), "Two")
    post(frame(page))
    expect(thread.locator(".comment .text")).to_have_count(2)
    expect(thread.locator("#count")).to_have_text("⟦2 Comments⟧")
    expect(thread.locator("#status")).to_have_text(re.compile("^⟦Your comment is posted.⟧"))
