"""The thread for people who use a keyboard, a screen reader, other colours or less motion."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Frame, Page, expect

from commentsvc.domain.moderation import decisions
from commentsvc.models import Comment, Policy, Status
from tests.support.accessibility import serious_violations
from tests.support.browser import Blog, Service
from tests.support.frame_pages import (
    LONG_READ,
    article,
    change,
    fill_in,
    fits,
    frame,
    in_view,
    inside,
    loaded_form,
    loaded_module,
    post,
    stored,
    write,
)

GROUNDS = {"light": ("#fff", "#222"), "dark": ("#15181f", "#e4e4e7")}


def conversation(service: Service, blog: Blog) -> None:
    """Store a thread with everything in it that a thread can show."""
    one, two, three = write(
        service,
        blog,
        "Plain words, a [link](https://good.example/), `code` and **more**.",
        "> A quotation\n\n```python\n# why\ndef double(number: int = 2) -> str:\n    return 'x' * number\n```",
        "Gone soon",
    )
    replies = write(service, blog, *"1234567", parent=one, name="Bob")
    write(service, blog, "deeper", parent=replies[0])
    write(service, blog, "An answer", parent=three)
    write(service, blog, *(f"Comment {number}" for number in range(50)))
    with service.writing() as session:
        decisions.decide(session, session.get_one(Comment, three), Status.TRASH)
        session.get_one(Comment, two).edited_at = session.get_one(Comment, two).created_at
        session.commit()


def dressed(service: Service, theme: str) -> str:
    """Return an article in a theme."""
    ground, text = GROUNDS[theme]
    return article(service, style=f"background: {ground}; color: {text};")


def on_its_ground(thread: Frame, theme: str) -> Frame:
    """Give the frame the page's ground as its own: axe sees only what is in it."""
    thread.evaluate("(ground) => { document.body.style.background = ground; }", GROUNDS[theme][0])
    return thread


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_frame_and_its_form_keep_nobody_out(
    page: Page, service: Service, blog: Blog, theme: str, complaints: list[str]
) -> None:
    conversation(service, blog)
    blog.pages["/"] = dressed(service, theme)
    page.emulate_media(reduced_motion="reduce")
    page.goto(blog.url())
    thread = on_its_ground(inside(page), theme)
    expect(thread.locator("html")).to_have_attribute("data-theme", theme)
    assert serious_violations(thread) == []
    assert serious_violations(page) == []
    thread.get_by_role("link", name="Reply to Bob").first.click()
    expect(thread.get_by_role("heading", name="Leave a Reply to Bob")).to_be_visible()
    post(thread)
    expect(thread.locator("#text-error")).to_be_visible()
    assert serious_violations(thread) == []
    fill_in(thread, "**Words**", email="nobody")
    post(thread)
    expect(thread.locator("#email-error")).to_have_text("Invalid email address")
    thread.get_by_role("tab", name="Preview").click()
    expect(thread.get_by_role("tabpanel", name="Preview")).to_be_visible()
    assert serious_violations(thread) == []
    thread.locator(".menu summary").first.click()
    expect(thread.get_by_role("link", name="Report").first).to_be_visible()
    assert serious_violations(thread) == []
    complaints.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_forms_of_ones_own_comment_keep_nobody_out(
    page: Page, service: Service, blog: Blog, theme: str
) -> None:
    blog.pages["/"] = dressed(service, theme)
    page.emulate_media(reduced_motion="reduce")
    page.goto(blog.url())
    thread = on_its_ground(inside(page), theme)
    fill_in(thread, "My own words")
    post(thread)
    for kind in ("Edit", "Delete"):
        thread.locator(".menu summary").click()
        thread.get_by_role("link", name=kind, exact=True).click()
        expect(thread.get_by_role("form", name=f"{kind} your comment")).to_be_visible()
        assert serious_violations(thread) == []
        page.keyboard.press("Escape")
        expect(thread.locator(".menu summary")).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_threads_page_and_a_held_comment_keep_nobody_out(
    page: Page, service: Service, blog: Blog, theme: Any
) -> None:
    conversation(service, blog)
    change(service, blog, policy=Policy.HOLD_ALL)
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(f"{service.url}/thread?url={quote(blog.url())}")
    fill_in(page.main_frame, "Patient words")
    post(page.main_frame)
    expect(page.locator(".pending")).to_be_visible()
    page.get_by_label("Your comment").focus()
    assert serious_violations(page) == []
    change(service, blog, policy=Policy.CLOSED)
    page.reload()
    expect(page.get_by_text("Comments are closed.")).to_be_visible()
    assert serious_violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_note_on_a_page_without_a_site_keeps_nobody_out(
    page: Page, service: Service, blog: Blog, theme: str, complaints: list[str]
) -> None:
    blog.pages["/"] = dressed(service, theme)
    page.goto(f"{blog.origin.replace('localhost', 'stranger.test')}/")
    thread = on_its_ground(inside(page), theme)
    expect(thread.get_by_text("There are no comments on this page.")).to_be_visible()
    assert serious_violations(thread) == []
    complaints.clear()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_the_start_page_keeps_nobody_out(page: Page, service: Service, theme: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme)
    page.goto(f"{service.url}/")
    assert serious_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for link in ("127.0.0.1", "Your comments"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=link)).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/nowhere", "/account", "/admin", "/login/opening", "/admin/invite/x", "/privacy"]
)
def test_the_pages_that_stand_alone_keep_nobody_out(
    page: Page, service: Service, theme: Any, path: str, complaints: list[str]
) -> None:
    page.emulate_media(color_scheme=theme)
    page.add_init_script("window.opener = window")  # or the login's window closes itself
    for width in (360, 768, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{service.url}{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.get_by_role("banner").get_by_role("link", name="127.0.0.1")).to_be_visible()
        assert serious_violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    complaints.clear()  # the browser tells every answer of 4xx


def test_a_comment_is_written_and_answered_with_the_keyboard_alone(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    keys = page.keyboard
    keys.press("Tab")
    expect(thread.get_by_label("Your comment")).to_be_focused()
    keys.type("Typed")
    for name, words in (("Email", "g@good.example"), ("Name", "Grace"), ("Website", "")):
        keys.press("Tab")
        expect(thread.get_by_role("textbox", name=name)).to_be_focused()
        keys.type(words)
    keys.press("Tab")
    expect(thread.get_by_role("checkbox")).to_be_focused()
    keys.press("Tab")
    expect(thread.get_by_role("button", name="Post Comment")).to_be_focused()
    keys.press("Enter")
    expect(thread.locator("#comment-2")).to_be_focused()
    keys.press("Tab")
    expect(thread.locator("#comment-2 .when")).to_be_focused()
    keys.press("Tab")
    expect(thread.locator(".posted").get_by_role("link")).to_be_focused()  # the private link, and its button
    keys.press("Tab")
    expect(thread.get_by_role("button", name="Copy")).to_be_focused()
    keys.press("Tab")
    expect(thread.get_by_role("link", name="Reply to Grace")).to_be_focused()
    keys.press("Enter")
    expect(thread.get_by_label("Your comment")).to_be_focused()
    keys.type("An answer")
    keys.press("Control+Enter")
    expect(thread.locator("#comment-3")).to_be_focused()
    assert [(one.source, one.parent_id) for one in stored(service)] == [
        ("First!", None),
        ("Typed", None),
        ("An answer", 2),
    ]


def test_the_tabs_of_the_form_follow_the_arrow_keys(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    thread.get_by_label("Your comment").fill("Some **bold** words")
    loaded_form(thread)
    writing, preview = (thread.get_by_role("tab", name=name) for name in ("Write", "Preview"))
    expect(writing).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Shift+Tab")
    expect(thread.get_by_role("button", name="Bold")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(writing).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(preview).to_be_focused()
    expect(preview).to_have_attribute("aria-selected", "true")
    expect(writing).to_have_attribute("tabindex", "-1")
    expect(thread.get_by_role("tabpanel", name="Preview").locator("strong")).to_have_text("bold")
    page.keyboard.press("Tab")
    expect(thread.get_by_role("tabpanel", name="Preview")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowLeft")
    expect(writing).to_be_focused()
    expect(thread.get_by_label("Your comment")).to_be_visible()


def test_the_menu_of_a_comment_closes_by_escape_and_beside_it(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "One", "Two")
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    first, second = (thread.locator(".menu summary").nth(number) for number in (0, 1))
    first.press("Enter")
    loaded_module(thread, "forms.js")
    expect(thread.get_by_role("link", name="Report")).to_be_visible()
    fits(thread)
    page.keyboard.press("Tab")
    expect(thread.get_by_role("link", name="Report")).to_be_focused()
    page.keyboard.press("Escape")
    expect(first).to_be_focused()
    expect(thread.get_by_role("link", name="Report")).to_have_count(0)
    first.press("Enter")
    expect(thread.get_by_role("link", name="Report")).to_have_count(1)
    second.click()
    expect(thread.locator(".menu[open]")).to_have_count(1)
    thread.locator(".comment .text").first.click()
    expect(thread.locator(".menu[open]")).to_have_count(0)


def test_whatever_the_keyboard_reaches_shows_it(page: Page, service: Service, blog: Blog) -> None:
    one, *_ = write(service, blog, "With a [link](https://good.example/)", "Two")
    write(service, blog, *"1234567", parent=one)
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    thread.get_by_label("Your comment").focus()
    expect(thread.get_by_role("button", name="Post Comment")).to_be_visible()
    seen: list[str] = []
    while thread.evaluate("document.hasFocus() && document.activeElement !== document.body"):
        what, ring, inner = thread.evaluate(
            """() => {
                const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(document.activeElement);
                const { left, right } = document.activeElement.getBoundingClientRect();
                const reach = parseFloat(outlineWidth) + parseFloat(outlineOffset);
                return [
                    document.activeElement.outerHTML.slice(0, 80),
                    outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
                    left - reach >= 0 && right + reach <= innerWidth,
                ];
            }"""
        )
        assert ring, what
        assert inner, what
        seen.append(what)
        page.keyboard.press("Tab")
    assert len(seen) > 20


def test_focus_stays_in_sight_while_the_form_is_used(page: Page, service: Service, blog: Blog) -> None:
    """A frame as high as its content does not scroll; the page around must."""
    ids = write(service, blog, *(f"Comment {number}" for number in range(40)))
    blog.pages["/"] = article(service, before=LONG_READ)
    page.goto(blog.url(f"/#comment-{ids[30]}"))
    in_view(page, ids[30])
    thread = inside(page)
    thread.get_by_role("link", name="Reply to Ada").nth(30).press("Enter")
    expect(thread.get_by_label("Your comment")).to_be_focused()
    expect(thread.get_by_label("Your comment")).to_be_in_viewport()
    fill_in(thread, "An answer")
    thread.get_by_label("Your comment").press("Control+Enter")
    expect(thread.locator("#comment-41")).to_be_focused()
    in_view(page, 41)


@pytest.mark.parametrize("calm", ["reduce", "no-preference"])
def test_who_wants_less_motion_gets_none(page: Page, service: Service, blog: Blog, calm: Any) -> None:
    write(service, blog, *(f"Comment {number}" for number in range(30)))
    page.add_init_script(
        """window.scrolls = [];
        const { scrollIntoView } = Element.prototype;
        Element.prototype.scrollIntoView = function (options) {
            scrolls.push(options.behavior);
            scrollIntoView.call(this, options);
        };"""
    )
    blog.pages["/"] = article(service)
    page.emulate_media(reduced_motion=calm)
    page.goto(blog.url())
    thread = inside(page)
    thread.get_by_role("link", name="Reply to Ada").last.click()
    expect(thread.get_by_role("heading", name="Leave a Reply to Ada")).to_be_visible()
    fill_in(thread, "An answer")
    post(thread)
    expect(thread.locator("#comment-31")).to_be_focused()
    moves = thread.locator("#comment-31").evaluate("(one) => getComputedStyle(one).animationName")
    assert (moves == "none") == (calm == "reduce")
    page.wait_for_function("scrolls.length")
    assert page.evaluate("scrolls") == ["instant" if calm == "reduce" else "smooth"]


def test_colours_that_a_reader_forces_leave_everything_visible(
    page: Page, service: Service, blog: Blog
) -> None:
    conversation(service, blog)
    blog.pages["/"] = article(service)
    page.emulate_media(forced_colors="active")
    page.goto(blog.url())
    thread = inside(page)
    thread.get_by_label("Your comment").focus()
    button = thread.get_by_role("button", name="Post Comment")
    expect(button).to_be_visible()
    assert button.evaluate("(one) => parseFloat(getComputedStyle(one).borderWidth)") >= 1
    assert thread.get_by_label("Your comment").evaluate(
        "(one) => getComputedStyle(one).outlineStyle !== 'none'"
    )


def test_what_happens_is_told_to_screen_readers(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    expect(page.locator("iframe")).to_have_attribute("title", "Comments")
    thread = inside(page)
    expect(thread.get_by_role("form", name="Leave a Reply")).to_be_attached()
    expect(thread.get_by_role("list", name="1 Comment")).to_be_visible()
    expect(thread.get_by_role("article")).to_have_count(1)
    thread.get_by_role("link", name="Reply to Ada").click()
    expect(thread.get_by_role("form", name="Leave a Reply to Ada")).to_be_attached()
    fill_in(thread, "An answer")
    post(thread)
    expect(frame(page).get_by_role("status")).to_have_text("Your comment is posted.")
