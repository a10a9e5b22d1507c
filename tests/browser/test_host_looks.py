"""Pages that look as nobody here wrote them: dark in ways of their own, and with rules for every frame."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Blog, Service
from tests.support.frame_pages import article, frame, inside

WRAPPED = '<div id="outer"><section id="inner"><div id="comments"></div></section></div>'
DARK = "color: #eee; background: #111"

DARKENED = {
    "class of a wrapper": ("<style>.dark { %s }</style>", "outer.className = 'dark'"),
    "class of the nearest": ("<style>.dark { %s }</style>", "inner.className = 'dark'"),
    "attribute": ("<style>[data-mode=night] { %s }</style>", "outer.dataset.mode = 'night'"),
    "inline style": ("", "outer.style = '%s'"),
    "new style sheet": ("", "document.head.insertAdjacentHTML('beforeend', '<style>body { %s }</style>')"),
    "style sheet that is enabled": (
        "<style id='night' media='not all'>body { %s }</style>",
        "night.media = 'all'",
    ),
    "rule from script": ("<style></style>", "document.styleSheets[0].insertRule('#outer { %s }')"),
    "constructed sheet": (
        "",
        "(document.adoptedStyleSheets = [new CSSStyleSheet()])[0].replaceSync('body { %s }')",
    ),
    "box that is ticked": ("<style>body:has(#tick:checked) { %s }</style>", "tick.checked = true"),
    "slow transition": (
        "<style>body { color: #222; background: #fff; transition: all 1.5s } body.dark { %s }</style>",
        "document.body.className = 'dark'",
    ),
    "animation": (
        "<style>@keyframes night { to { %s } } .dark { animation: night 1s forwards }</style>",
        "outer.className = 'dark'",
    ),
    "background alone": ("<style>.dark { background: #111 }</style>", "outer.className = 'dark'"),
    "translucent on dark": (
        "<style>.dark { background: #111 } .dark #inner { background: rgb(255 255 255 / .05) }</style>",
        "outer.className = 'dark'",
    ),
    "text alone, over a picture": (
        "<style>.dark { color: #eee; background: linear-gradient(#111, #222) }</style>",
        "outer.className = 'dark'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", DARKENED)
def test_the_frame_is_as_dark_as_what_is_seen_behind_it(
    page: Page, service: Service, blog: Blog, how: str
) -> None:
    head, act = (text.replace("%s", DARK) for text in DARKENED[how])
    blog.pages["/"] = article(
        service, head=head, thread=WRAPPED, before='<input type="checkbox" id="tick" hidden>'
    )
    page.goto(blog.url())
    root = inside(page).locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    page.evaluate(act)
    expect(root).to_have_attribute("data-theme", "dark")
    if "background" not in how and "translucent" not in how:
        expect(root).to_have_css("--text", "rgb(238, 238, 238)")
    else:
        expect(inside(page).locator("body")).to_have_css("color", "rgb(230, 232, 238)")
    assert page.locator("iframe").evaluate("(frame) => getComputedStyle(frame).colorScheme") == "dark"


def test_a_light_card_on_a_dark_page_has_a_light_frame(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service, style=DARK, thread=f'<div style="background: #fff">{WRAPPED}</div>')
    page.goto(blog.url())
    thread = inside(page)
    expect(thread.locator("html")).to_have_attribute("data-theme", "light")
    expect(thread.locator("body")).to_have_css("color", "rgb(29, 35, 48)")


def test_a_page_that_stays_as_it_is_is_not_touched(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    inside(page)
    page.wait_for_timeout(600)
    page.evaluate(
        """() => {
            window.changes = 0;
            new MutationObserver((some) => { changes += some.length; })
                .observe(document, { subtree: true, childList: true, attributes: true });
        }"""
    )
    page.wait_for_timeout(1000)
    assert page.evaluate("changes") == 0
