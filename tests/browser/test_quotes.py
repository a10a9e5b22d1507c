"""Readers answer a passage of the article: the button below a selection, and the quote in the box."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.support.browser import Blog, Service
from tests.support.frame_pages import LONG_READ, article, change, fill_in, frame, inside, post, stored, write

THREAD = '<div id="comments" data-quotes></div>'
PASSAGE = '<p id="passage">The well-known bridge (of *iron*) is closed, and nobody knows for how long.</p>'
FAR_BELOW = f"<article>{LONG_READ}{PASSAGE}{LONG_READ}</article>"
SELECT = """([selector, from, to]) => {
  const text = document.querySelector(selector).firstChild;
  getSelection().setBaseAndExtent(text, from, text, to ?? text.length);
}"""


def select(page: Page, selector: str, begin: int = 0, end: int | None = None) -> None:
    """Select characters of an element's text."""
    page.evaluate(SELECT, [selector, begin, end])


def test_a_passage_is_quoted_with_a_link_that_leads_to_it(page: Page, service: Service, blog: Blog) -> None:
    change(service, blog, most_links=0)
    text = article(service, thread=THREAD, before=FAR_BELOW)
    blog.pages.update({"/on_(bridges)": text, "/on_%28bridges%29": text})
    page.goto(blog.url("/on_(bridges)"))
    page.locator("comment-thread").wait_for(state="attached")
    button = page.get_by_role("button", name="Reply to this")
    select(page, "#passage", 6, 40)  # from within "well" to within "closed"
    expect(button).to_be_visible()
    select(page, "h1")  # not in the article
    expect(button).to_have_count(0)
    select(page, "#passage", 6, 40)
    expect(button).to_be_visible()
    assert page.locator("iframe").count() == 0  # the thread is far away
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_have_count(0)
    select(page, "#passage", 5, 39)
    expect(button).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    box = frame(page).locator("#text")
    words = r"> well-known bridge (of \*iron\*) is closed"
    encoded = "well%2dknown%20bridge%20%28of%20%2airon%2a%29%20is%20closed"
    link = f"{blog.url('/on_%28bridges%29')}#:~:text={encoded}"
    expect(box).to_have_value(f"Quoting [the article]({link}):\n\n{words}\n\n")
    expect(box).to_be_focused()
    frame(page).get_by_role("button", name="Remove the quote").click()
    expect(box).to_have_value("")
    expect(frame(page).get_by_text("Quoting the article")).to_have_count(0)

    select(page, "#passage", 6, 40)
    button.click()
    expect(box).not_to_have_value("")
    fill_in(frame(page), f"{box.input_value()}Who says so?")
    post(frame(page))
    comment = frame(page).locator("#comments .comment .text")
    expect(comment.locator("blockquote")).to_have_text("well-known bridge (of *iron*) is closed")
    expect(comment.get_by_role("link", name="the article")).to_have_attribute("href", link)
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_function("scrollY > 1000")  # to the passage


def test_what_a_page_has_selected_is_bounded_and_stays_text(page: Page, service: Service, blog: Blog) -> None:
    """A page's text may be markup, script, reversed or endless; comments and other pages are not quoted at all."""
    hostile = (
        "&lt;img src=x onerror=alert(1)&gt; [a](javascript:alert(1)) \u202eevil\u202c `code` &amp;lt; ](x)"
    )
    texts = (
        f'<article><p id="hostile">{hostile}</p><p id="long"></p>'
        f'<p id="last">The last words.</p>{THREAD}</article>'
    )
    write(service, blog, "One")
    blog.pages["/"] = article(service, thread="", before=texts)
    page.goto(blog.url())
    inside(page)
    button = page.get_by_role("button", name="Reply to this")
    box = frame(page).locator("#text")

    # A window that is not the page around the frame says what the page would.
    page.evaluate(
        """() => {
            const forger = document.body.appendChild(document.createElement("iframe"));
            const text = "const data = { commentsvc: 'quote', text: 'Forged', fragment: 'x' };"
              + "parent.document.querySelector('#comments').shadowRoot.querySelector('comment-thread').shadowRoot"
              + ".querySelector('iframe').contentWindow.postMessage(data, '*')";
            forger.contentWindow.eval(text);
        }"""
    )
    select(page, "#hostile")
    button.click()
    expect(box).not_to_have_value("")
    value = box.input_value()
    assert "Forged" not in value
    assert "\u202e" not in value
    frame(page).get_by_role("tab", name="Preview").click()
    preview = frame(page).locator("#preview")
    expect(preview.locator("blockquote")).to_have_text(
        "<img src=x onerror=alert(1)> [a](javascript:alert(1)) evil `code` &lt; ](x)"
    )
    assert preview.locator("*").evaluate_all("all => all.map(({ localName }) => localName)") == [
        "p", "a", "blockquote", "p",
    ]  # fmt: skip
    frame(page).get_by_role("tab", name="Write").click()
    frame(page).get_by_role("button", name="Remove the quote").click()
    expect(box).to_have_value("")

    page.evaluate(
        "document.querySelector('#long').textContent = 'many words '.repeat(10000) + '\U0001f600'.repeat(9)"
    )
    select(page, "#long")
    button.click()
    expect(box).not_to_have_value("")
    quote = box.input_value().partition("> ")[2].rstrip()
    assert quote.startswith("many words")
    assert quote.endswith("…")
    assert 250 < len(quote) <= 300
    frame(page).get_by_role("button", name="Remove the quote").click()

    page.locator("#last").click(click_count=3)  # the selection ends in the thread
    button.click()
    expect(box).to_have_value(re.compile(r"> The last words\.\n\n$"))
    select(page, "#hostile", 0, 4)
    expect(button).to_be_visible()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('article'))")
    expect(button).to_have_count(0)  # it has the thread in it


def test_nothing_is_requested_for_quotes_unless_the_page_and_the_reader_want_it(
    page: Page, service: Service, blog: Blog
) -> None:
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url) if "quotes.js" in request.url else None)
    text = f"<main>{PASSAGE}</main>"
    blog.pages["/off"] = article(service, before=text)
    blog.pages["/click"] = article(
        service,
        thread='<comment-thread load="click" quotes="#passage" quotes-text="Antworten"></comment-thread>',
        before=text,
    )
    page.goto(blog.url("/off"))
    inside(page)
    select(page, "#passage")
    page.goto(blog.url("/click"))
    show = page.get_by_role("button", name="Show comments")
    show.wait_for()
    select(page, "#passage")
    page.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")
    assert loaded == []
    show.click()
    inside(page)
    select(page, "#passage", 0, 20)
    button = page.get_by_role("button", name="Antworten")
    button.click()
    expect(frame(page).locator("#text")).not_to_have_value("")
    expect(button).to_have_count(0)
    assert len(loaded) == 1
    assert stored(service) == []
