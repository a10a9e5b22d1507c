"""The box that a comment is written in: buttons and keys for Markdown, and how much of the limit is left."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, inside, write

SELECT = "(text, [from, to]) => { text.focus(); text.setSelectionRange(from, to); }"
CHOSEN = "(text) => text.value.slice(text.selectionStart, text.selectionEnd)"

# A text, what is selected of it, the key or the button, what is in the box then, and what is selected of that.
TOOLS = [
    ("a word here", (2, 6), "Control+b", "a **word** here", "word"),
    ("a word here", (2, 7), "Control+i", "a _word_ here", "word"),
    ("a word here", (2, 6), "Control+k", "a [word](https://) here", "https://"),
    ("", (0, 0), "Control+k", "[](https://)", ""),
    ("a word here", (2, 6), "Code", "a `word` here", "word"),
    ("one\ntwo", (0, 7), "Quote", "> one\n> two", ""),
    ("one\ntwo", (5, 5), "List", "one\nt\n- wo", ""),
]


@pytest.fixture
def service_variables() -> Callable[[str], dict[str, str]]:
    """Comments so short that a few words come near the limit."""
    return lambda _: {"COMMENTSVC_MAX_COMMENT_LENGTH": "100"}


def test_buttons_and_keys_write_markdown_that_can_be_undone(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    text = thread.get_by_label("Your comment")
    text.focus()
    toolbar = thread.get_by_role("toolbar", name="Formatting")
    for former, selected, tool, result, chosen in TOOLS:
        text.fill("")
        page.keyboard.insert_text(former)
        text.evaluate(SELECT, selected)
        if tool.startswith("Control"):
            page.keyboard.press(tool)
        else:
            toolbar.get_by_role("button", name=tool).click()
        expect(text).to_have_value(result)
        expect(text).to_be_focused()
        assert text.evaluate(CHOSEN) == chosen, tool
        page.keyboard.press("Control+z")
        expect(text).to_have_value(former)

    page.keyboard.press("Shift+Tab")
    for key, button in (
        ("", "Bold"),
        ("ArrowLeft", "Bold"),
        ("ArrowRight", "Italic"),
        ("ArrowRight", "Link"),
    ):
        if key:
            page.keyboard.press(key)
        expect(toolbar.get_by_role("button", name=button)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(thread.get_by_role("tab", name="Write")).to_be_focused()
    page.keyboard.press("Tab")
    expect(toolbar.get_by_role("button", name="Link")).to_be_focused()  # the one that was left
    page.keyboard.press("Enter")
    expect(text).to_be_focused()


def test_what_is_left_of_the_limit_is_told_when_it_becomes_little(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    text = thread.get_by_label("Your comment")
    text.focus()
    expect(thread.get_by_role("toolbar")).to_be_visible()
    left = thread.locator(".box [role=status]")
    for characters, words in (
        ("x" * 85, "Characters left: 15"),
        ("x" * 20, ""),
        ("🙂" * 90, "Characters left: 10"),
        ("x" * 101, "Characters left: -1"),
    ):
        text.fill(characters)
        expect(left).to_have_text(words)
