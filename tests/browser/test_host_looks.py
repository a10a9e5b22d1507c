"""Pages that look as nobody here wrote them: dark in ways of their own, and with rules for every frame."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import Blog, Service
from tests.support.frame_pages import LONG_READ, article, fits, frame, inside, write

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


# --- Rules for frames.

FORCED = """
::part(frame) {
  width: 50%; min-width: 900px; max-width: 300px; height: 200px; min-height: 3000px; max-height: 150px;
  aspect-ratio: 16 / 9; margin: 40px; background: white; filter: invert(1); color-scheme: light;
}
"""


@pytest.mark.parametrize("important", [False, True], ids=["plain", "important"])
def test_a_themes_rules_for_frames_change_nothing(
    page: Page, service: Service, blog: Blog, important: bool
) -> None:
    write(service, blog, *(f"Comment {number}" for number in range(12)))
    forced = FORCED.replace(";", " !important;") if important else FORCED
    rules = f"<style>{forced} {forced.replace('::part(frame)', 'iframe')}</style>"
    blog.pages["/"] = article(service, head=rules, style=DARK)
    page.set_viewport_size({"width": 800, "height": 700})
    page.goto(blog.url())
    thread = inside(page)
    fits(thread)
    expect(thread.locator(".comment").last).to_be_attached()
    of_frame = page.locator("iframe")
    place = page.locator("#comments").bounding_box()
    box = of_frame.bounding_box()
    assert place is not None
    assert box is not None
    assert (box["x"], box["width"]) == (place["x"] - 4, place["width"] + 8)
    assert box["y"] == place["y"]
    expect(of_frame).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(of_frame).to_have_css("filter", "none")
    expect(of_frame).to_have_css("color-scheme", "dark")


def test_what_does_not_fit_into_a_frame_is_scrolled(page: Page, service: Service, blog: Blog) -> None:
    ids = write(service, blog, *(f"Comment {number}" for number in range(30)))
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    fits(thread)
    # As an extension, or a reader's own style sheet, may have it.
    page.locator("iframe").evaluate("(frame) => frame.style.setProperty('max-height', '300px', 'important')")
    expect(thread.locator("html")).not_to_have_class("framed auto-height")
    page.locator("iframe").hover()
    page.mouse.wheel(0, 5000)
    expect(frame(page).locator(f"#comment-{ids[-1]}")).to_be_in_viewport()
    page.locator("iframe").evaluate("(frame) => frame.style.removeProperty('max-height')")
    expect(thread.locator("html")).to_have_class("framed auto-height")


# --- Permalinks.

STICKY = '<header style="position: sticky; top: 0; height: 200px; background: #fff; z-index: 1">Blog</header>'
PLACES = {
    "sticky header": (STICKY, "<div>", "</div>", ""),
    "sticky header and scroll-padding": (
        STICKY, "<div>", "</div>", "<style>html { scroll-padding-top: 220px }</style>",
    ),
    "a box that scrolls": ("", "<div style='height: 400px; overflow: auto'>", "</div>", ""),
    "a small box in one that scrolls": (
        "",
        "<div style='height: 500px; overflow: auto'><div style='height: 200px; overflow: auto'>",
        f"</div>{LONG_READ}</div>",
        "",
    ),
    "the body scrolls": (
        "", "", "", "<style>html { height: 100%; overflow: hidden } body { height: 100%; overflow: auto }</style>",
    ),
    "zoomed in": ("", "<div style='zoom: 1.5'>", "</div>", ""),
    "zoomed out": ("", "<div style='zoom: .7'>", "</div>", ""),
    "all of it zoomed": ("", "", "", "<style>html { zoom: 1.3 }</style>"),
    "smooth": ("", "", "", "<style>html { scroll-behavior: smooth }</style>"),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_permalink_finds_its_comment_wherever_the_thread_is(
    page: Page, service: Service, blog: Blog, place: str
) -> None:
    ids = write(service, blog, *(f"Comment {number}" for number in range(40)))
    header, begin, end, head = PLACES[place]
    thread = f'{begin}{LONG_READ}<div id="comments"></div>{LONG_READ}{end}'
    blog.pages["/"] = article(service, head=head, thread=thread, before=header, after=LONG_READ)
    page.goto(blog.url(f"/#comment-{ids[30]}"))
    for wanted in (ids[30], ids[3], ids[39]):
        page.evaluate(f"location.hash = 'comment-{wanted}'")
        _seen(page, wanted)


def _seen(page: Page, wanted: int) -> None:
    """Wait until the comment's first line is what the reader sees at its place, and nothing lies over it."""
    comment = inside(page).locator(f"#comment-{wanted} .when")
    expect(comment).to_be_in_viewport()
    at = comment.evaluate(
        "(element) => { const { left, top, width, height } = element.getBoundingClientRect();"
        " return [left + width / 2, top + height / 2]; }"
    )
    page.wait_for_function(
        """([frame, [x, y]]) => {
            const { left, top, width } = frame.getBoundingClientRect();
            const zoom = width / frame.clientWidth;
            return document.elementFromPoint(left + x * zoom, top + y * zoom)?.id === "comments";
        }""",
        arg=[page.locator("comment-thread > iframe").element_handle(), at],
    )


# --- Counts.


@pytest.mark.parametrize(
    "bad",
    [
        "http://", "https://[::1", "http://a b/", "//:99999999/", "data:text/plain," + "x" * 20_000, "\\ud800",
        "mailto:a@b.test", "/" + "y" * 9000,
    ],
    ids=["no host", "bracket", "space", "port", "huge", "surrogate", "no page", "long"],
)  # fmt: skip
def test_a_count_that_names_no_article_affects_itself_alone(
    page: Page, service: Service, blog: Blog, bad: str
) -> None:
    write(service, blog, "One", "Two", path="/two")
    write(service, blog, "First!")
    spans = '<p data-comment-count="/two">?</p><p id="bad">?</p><p data-comment-count="/two" data-thread-id="%">?</p>'
    set_bad = f"<script>bad.dataset.commentCount = `{bad}`; bad.dataset.threadId = `\\ud800`</script>"
    blog.pages["/"] = article(service, before=spans + set_bad + '<p data-comment-count="/">?</p>')
    page.goto(blog.url())
    expect(page.locator("p[data-comment-count]").first).to_have_text("2")
    expect(page.locator("p[data-comment-count]").nth(2)).to_have_text("0")
    expect(page.locator("p[data-comment-count]").last).to_have_text("1")
    expect(frame(page).get_by_text("First!")).to_be_visible()


def test_a_thread_whose_address_is_none_affects_itself_alone(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(
        service, thread='<comment-thread url="http://"></comment-thread><comment-thread></comment-thread>'
    )
    page.goto(blog.url())
    expect(frame(page, 1).get_by_text("First!")).to_be_visible()
    expect(frame(page, 0).get_by_text("There are no comments on this page.")).to_be_visible()
    complaints[:] = [complaint for complaint in complaints if "400" not in complaint]
