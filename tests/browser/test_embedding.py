"""A thread embedded in an article of another site, in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Route, expect

from commentsvc.domain.sites import embed_lines
from commentsvc.models import Comment
from tests.support.browser import Blog, Service
from tests.support.frame_pages import (
    LONG_READ,
    article,
    fill_in,
    fits,
    frame,
    in_view,
    inside,
    post,
    stored,
    thread_titles,
    write,
)


def asked(page: Page, path: str) -> list[str]:
    """Return a list that fills with the addresses of requests whose URL contains `path`."""
    seen: list[str] = []

    def note(request: Request) -> None:
        if path in request.url:
            seen.append(request.url)

    page.on("request", note)
    return seen


# --- Showing.


@pytest.mark.parametrize(
    "thread", ['<div id="comments"></div>', "<comment-thread></comment-thread>"], ids=["div", "element"]
)
def test_an_article_shows_its_thread(page: Page, service: Service, blog: Blog, thread: str) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service, thread=thread)
    page.goto(blog.url())
    expect(frame(page).get_by_text("First!")).to_be_visible()
    expect(frame(page).get_by_role("heading", name="1 Comment")).to_be_visible()


def test_a_thread_far_below_is_loaded_when_the_reader_comes_near(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service, before=LONG_READ)
    frames = asked(page, "/embed?")
    page.goto(blog.url(), wait_until="networkidle")
    expect(page.locator("comment-thread")).to_be_attached()
    assert frames == []
    page.locator("comment-thread").scroll_into_view_if_needed()
    expect(frame(page).get_by_text("First!")).to_be_visible()
    assert len(frames) == 1


def test_a_thread_that_is_near_does_not_wait_for_a_frame_to_be_drawn(
    page: Page, service: Service, blog: Blog
) -> None:
    page.add_init_script("IntersectionObserver.prototype.observe = () => {}")
    write(service, blog, "First!")
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    expect(frame(page).get_by_text("First!")).to_be_visible()


def test_a_thread_in_what_is_hidden_is_loaded_when_that_is_shown(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service, thread='<div id="place" hidden><div id="comments"></div></div>')
    frames = asked(page, "/embed?")
    page.goto(blog.url(), wait_until="networkidle")
    expect(page.locator("comment-thread")).to_be_attached()
    assert frames == []
    page.evaluate("place.hidden = false")
    expect(frame(page).get_by_text("First!")).to_be_visible()


def test_a_thread_waits_for_the_pages_styles_to_look_like_it(
    page: Page, service: Service, blog: Blog
) -> None:
    held: list[Route] = []
    page.route("**/late.css", lambda route: held.append(route))
    write(service, blog, "First!")
    blog.pages["/"] = article(service, head='<link rel="stylesheet" href="/late.css">')
    page.goto(blog.url(), wait_until="commit")
    expect(page.locator("comment-thread")).to_be_attached()
    page.wait_for_timeout(300)
    expect(page.locator("iframe")).to_have_count(0)
    held[0].fulfill(content_type="text/css", body="body { color: #eee; background: #111 }")
    expect(page.locator("iframe")).to_have_attribute("src", re.compile("theme%22%3A%22dark"))


def test_a_thread_loaded_for_a_permalink_is_not_loaded_again_when_scrolled_to(
    page: Page, service: Service, blog: Blog
) -> None:
    (first,) = write(service, blog, "First!")
    blog.pages["/"] = article(service, before=LONG_READ)
    frames = asked(page, "/embed?")
    page.goto(blog.url(), wait_until="networkidle")
    page.evaluate(f"location.hash = 'comment-{first}'")
    in_view(page, first)
    page.evaluate("scrollTo(0, 0)")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(frame(page).get_by_text("First!")).to_be_in_viewport()
    assert len(frames) == 1


def test_four_requests_show_a_thread_and_coming_to_its_form_brings_the_rest(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service, before='<div style="height: 1000px"></div>')
    page.set_viewport_size({"width": 1280, "height": 700})
    needed = asked(page, service.url)
    page.goto(blog.url())
    thread = inside(page)
    page.wait_for_load_state("networkidle")

    def names() -> list[str]:
        return [urlsplit(url).path.rpartition("/")[2] for url in needed]

    assert sorted(names()) == ["core.js", "embed", "embed.js", "main.js"]
    needed.clear()
    with page.expect_response("**/text_box.js"):
        page.mouse.wheel(0, 1000)
    page.wait_for_load_state("networkidle")
    assert sorted(names()) == ["composer.js", "conversations.js", "session.js", "text_box.js", "words.js"]
    needed.clear()
    with page.expect_response("**/embed/own?*"):
        thread.get_by_label("Your comment").focus()
    expect(thread.get_by_role("button", name="Post Comment")).to_be_visible()
    assert names() == ["own"]


def test_a_frame_is_painted_in_its_look_and_height_before_a_module_is_there(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, *(f"Comment {number}" for number in range(9)))
    blog.pages["/"] = article(service, style="color: #eee; background: #111; font-family: Georgia;")
    waiting: list[Route] = []
    page.route("**/frame/*.js", lambda route: waiting.append(route))
    page.goto(blog.url(), wait_until="commit")
    thread = frame(page)
    expect(thread.locator("time").first).to_have_text("3 hours ago")
    expect(thread.locator("body")).to_have_css("font-family", "Georgia")
    expect(thread.locator("body")).to_have_css("color", "rgb(238, 238, 238)")
    expect(thread.locator("html")).to_have_css("overflow", "hidden")
    expect(page.locator("iframe")).to_have_attribute("style", re.compile(r"--height: \d{3,4}px"))
    fits(page.frames[1])
    for route in waiting:
        route.continue_()
    expect(thread.locator("html")).to_have_class("framed auto-height")


def test_a_thread_with_nothing_in_it_says_so(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    expect(frame(page).get_by_role("heading", name="No comments yet")).to_be_visible()
    fits(inside(page))


# --- Height.


@pytest.mark.parametrize("width", [360, 1200])
def test_the_frame_is_always_as_high_as_what_it_shows(
    page: Page, service: Service, blog: Blog, width: int
) -> None:
    words = "Some words of a longer comment that takes two lines or three. " * 4
    roots = write(service, blog, *(f"{words}{number}" for number in range(55)))
    write(service, blog, *(f"{words}{number}" for number in range(8)), parent=roots[0], name="Bob")
    blog.pages["/"] = article(service)
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(blog.url())
    thread = inside(page)
    fits(thread)
    before = thread.evaluate("innerHeight")
    thread.get_by_label("Your comment").focus()
    expect(thread.get_by_role("button", name="Post Comment")).to_be_visible()
    fits(thread)
    assert thread.evaluate("innerHeight") > before
    fill_in(thread, "line\n" * 30)
    fits(thread)
    post(thread)
    expect(thread.get_by_text("Your comment is posted.")).to_be_attached()
    fits(thread)
    thread.get_by_role("link", name="Show 3 more replies").click()
    expect(thread.locator(".reply")).to_have_count(8)
    fits(thread)
    thread.get_by_role("link", name="Show more comments").click()
    expect(thread.locator(".conversation")).to_have_count(56)
    fits(thread)
    page.set_viewport_size({"width": 780, "height": 700})
    fits(thread)
    page.set_viewport_size({"width": width, "height": 700})
    fits(thread)


def test_the_frame_keeps_its_height_and_look_when_the_order_changes(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, *(f"Comment {number}" for number in range(3)))
    blog.pages["/"] = article(
        service, style="color: rgb(230, 230, 230); background: #111; font-family: Georgia;"
    )
    page.goto(blog.url())
    inside(page).get_by_role("link", name="Newest").click()
    expect(frame(page).locator(".comment .text").first).to_have_text("Comment 2")
    thread = inside(page)
    fits(thread)
    expect(thread.locator("body")).to_have_css("font-family", "Georgia")
    expect(thread.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_the_frame_is_never_wider_than_a_phone(
    page: Page, service: Service, blog: Blog, direction: str
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service, style=f"padding: 0; direction: {direction};")
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto(blog.url())
    fits(inside(page))
    box = page.locator("iframe").bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 360)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.set_viewport_size({"width": 900, "height": 700})
    fits(inside(page))
    words = inside(page).locator(".comment").bounding_box()
    heading = page.locator("h1").bounding_box()
    assert words is not None
    assert heading is not None
    assert words["x"] == heading["x"]


# --- Permalinks.


def test_a_permalink_brings_its_comment_into_view(page: Page, service: Service, blog: Blog) -> None:
    ids = write(service, blog, *(f"Comment {number}" for number in range(30)))
    blog.pages["/"] = article(service, before=LONG_READ)
    page.goto(blog.url(f"/#comment-{ids[20]}"))
    in_view(page, ids[20])
    expect(frame(page).locator(f"#comment-{ids[20]}")).to_have_class(re.compile("highlighted"))


def test_old_links_of_another_system_lead_to_the_comments_that_they_meant(
    page: Page, service: Service, blog: Blog
) -> None:
    ids = write(service, blog, *(f"Comment {number}" for number in range(130)))
    old = {ids[110]: ids[3], ids[3]: ids[110], ids[60]: 9000}
    with service.writing() as session:
        for number, there in old.items():
            session.get_one(Comment, number).transfer_key = f"wordpress:blog.example:{there}"
        session.get_one(Comment, ids[90]).transfer_key = "isso:blog.example:7"
        session.get_one(Comment, ids[90]).thread.imported = True
        session.commit()
    blog.pages["/"] = article(service, before=LONG_READ)
    page.goto(blog.url(f"/?cpage=2#comment-{ids[3]}"))
    in_view(page, ids[110])
    for anchor, number in (
        (f"comment-{ids[110]}", ids[3]),
        ("comment-9000", ids[60]),
        ("isso-7", ids[90]),
        (f"comment-c{ids[110]}", ids[110]),
        (f"comment-{ids[5]}", ids[5]),
    ):
        page.evaluate(f"location.hash = '{anchor}'")
        in_view(page, number)
        expect(frame(page).locator(f"#comment-{number}")).to_have_class(re.compile("highlighted"))


def test_a_permalink_finds_a_comment_deep_in_a_later_page(page: Page, service: Service, blog: Blog) -> None:
    roots = write(service, blog, *(f"Comment {number}" for number in range(130)))
    replies = write(service, blog, *(f"Reply {number}" for number in range(30)), parent=roots[120])
    deep = write(service, blog, "Deep", parent=replies[-1])[0]
    blog.pages["/"] = article(service, before=LONG_READ, after=LONG_READ)
    page.goto(blog.url(f"/#comment-{deep}"))
    in_view(page, deep)
    fits(inside(page))


def test_a_permalink_followed_within_the_article_brings_its_comment_into_view(
    page: Page, service: Service, blog: Blog
) -> None:
    roots = write(service, blog, *(f"Comment {number}" for number in range(130)))
    blog.pages["/"] = article(service, before=LONG_READ)
    page.goto(blog.url())
    page.evaluate(f"location.hash = 'comment-{roots[40]}'")
    in_view(page, roots[40])
    page.evaluate(f"location.hash = 'comment-{roots[99]}'")
    in_view(page, roots[99])
    page.evaluate(f"location.hash = 'comment-{roots[0]}'")
    in_view(page, roots[0])


def test_a_permalink_to_what_is_not_there_changes_nothing(page: Page, service: Service, blog: Blog) -> None:
    roots = write(service, blog, "One", "Two")
    write(service, blog, "Elsewhere", path="/other")
    blog.pages["/"] = article(service)
    looked = asked(page, "&comment=")
    page.goto(blog.url(f"/#comment-{roots[1] + 1}"))
    with page.expect_response(lambda response: "&comment=999999" in response.url):
        inside(page)
        page.evaluate("location.hash = 'comment-999999'")
    expect(frame(page).locator(".comment .text")).to_have_text(["One", "Two"])
    assert len(looked) == 2


def test_a_click_at_a_comments_time_copies_its_link_or_leads_there(
    page: Page, service: Service, blog: Blog
) -> None:
    ids = write(service, blog, "One", "Two")
    blog.pages["/"] = article(service, before=LONG_READ)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(blog.url())
    page.locator("comment-thread").scroll_into_view_if_needed()
    time = frame(page).locator(f"#comment-{ids[1]} .when")
    words = time.text_content() or ""
    inside(page).evaluate("() => { window.acts = []; window.setTimeout = (act) => acts.push(act); }")
    time.click()
    expect(time).to_have_text("Link copied")
    expect(frame(page).locator("#status")).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{service.url}/comment/{ids[1]}"
    inside(page).evaluate("acts.forEach((act) => act())")
    expect(time).to_have_text(words)
    inside(page).evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    time.click()
    page.wait_for_url(f"**/#comment-c{ids[1]}")
    in_view(page, ids[1])


# --- Several threads, single-page apps.


def test_threads_of_one_page_do_not_mix(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "About the first", page_id="first")
    write(service, blog, "About the second", "And more", "And more still", page_id="second")
    blog.pages["/"] = article(
        service,
        thread='<comment-thread thread-id="first"></comment-thread>'
        '<comment-thread thread-id="second"></comment-thread>',
    )
    page.goto(blog.url())
    first, second = inside(page, 0), inside(page, 1)
    expect(first.locator(".comment .text")).to_have_text(["About the first"])
    expect(second.locator(".comment .text")).to_have_text(["About the second", "And more", "And more still"])
    fits(first)
    fits(second)
    before = second.evaluate("innerHeight")
    fill_in(first, "Only here")
    fits(first)
    post(first)
    expect(first.locator(".comment .text")).to_have_count(2)
    fits(first)
    assert second.evaluate("innerHeight") == before
    expect(second.locator(".comment .text")).to_have_count(3)


def test_a_permalink_on_a_page_of_several_threads_finds_the_right_one(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "First A", "First B", page_id="first")
    ids = write(service, blog, "Second A", "Second B", page_id="second")
    blog.pages["/"] = article(
        service,
        thread=f'<comment-thread thread-id="first"></comment-thread>{LONG_READ}'
        '<comment-thread thread-id="second"></comment-thread>',
    )
    page.goto(blog.url(f"/#comment-{ids[1]}"))
    in_view(page, ids[1], nth=1)
    expect(inside(page, 0).locator(".comment .text")).to_have_text(["First A", "First B"])


def test_another_url_shows_another_thread(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "On one", path="/one")
    write(service, blog, "On two", path="/two")
    blog.pages["/"] = article(service, thread='<comment-thread url="/one"></comment-thread>')
    frames = asked(page, "/embed?")
    page.goto(blog.url())
    expect(frame(page).get_by_text("On one")).to_be_visible()
    page.evaluate(
        """() => {
            const thread = document.querySelector("comment-thread");
            thread.setAttribute("page-title", "Two");
            thread.setAttribute("url", "/two");
        }"""
    )
    expect(frame(page).get_by_text("On two")).to_be_visible()
    expect(page.locator("iframe")).to_have_count(1)
    assert len(frames) == 2
    fits(inside(page))


COUNT_WATCHERS = """
window.watchers = 0;
for (const kind of ["MutationObserver", "IntersectionObserver"]) {
  const { observe, disconnect } = window[kind].prototype;
  const live = new WeakSet();
  window[kind].prototype.observe = function (...some) {
    if (!live.has(this)) watchers += 1;
    live.add(this);
    return observe.apply(this, some);
  };
  window[kind].prototype.disconnect = function () {
    if (live.delete(this)) watchers -= 1;
    return disconnect.apply(this);
  };
}
const { addEventListener } = EventTarget.prototype;
EventTarget.prototype.addEventListener = function (type, heard, options) {
  if (this === window || this instanceof MediaQueryList) {
    watchers += 1;
    options?.signal?.addEventListener("abort", () => { watchers -= 1; });
  }
  return addEventListener.call(this, type, heard, options);
};
"""


def test_nothing_of_a_removed_thread_is_left(page: Page, service: Service, blog: Blog) -> None:
    page.add_init_script(COUNT_WATCHERS)
    blog.pages["/"] = article(service, thread="<main></main>")
    page.goto(blog.url())
    page.wait_for_function("!!customElements.get('comment-thread')")
    before = page.evaluate("watchers")
    for _ in range(3):
        page.evaluate("document.querySelector('main').append(document.createElement('comment-thread'))")
        inside(page)
        assert page.evaluate("watchers") > before
        page.evaluate("document.querySelector('comment-thread').remove()")
        expect(page.locator("iframe")).to_have_count(0)
        page.wait_for_function("(before) => watchers === before", arg=before)


def test_a_thread_moved_in_the_page_works_on(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service, thread="<comment-thread></comment-thread><aside></aside>")
    page.goto(blog.url())
    expect(frame(page).get_by_text("First!")).to_be_visible()
    page.evaluate("document.querySelector('aside').append(document.querySelector('comment-thread'))")
    expect(page.locator("aside iframe")).to_have_count(1)
    expect(frame(page).get_by_text("First!")).to_be_visible()
    thread = inside(page)
    fits(thread)
    thread.get_by_label("Your comment").focus()
    expect(thread.get_by_role("button", name="Post Comment")).to_be_visible()
    fits(thread)


# --- Look.


def test_the_frame_follows_the_pages_theme(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(
        service,
        head="<style>body { color: #222; background: #fff } .dark body { color: #eee; background: #111 }</style>",
    )
    page.goto(blog.url())
    root = inside(page).locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    page.evaluate("document.documentElement.classList.toggle('dark')")
    expect(root).to_have_attribute("data-theme", "dark")
    expect(root).to_have_css("--text", "rgb(238, 238, 238)")
    page.evaluate("document.documentElement.classList.toggle('dark')")
    expect(root).to_have_attribute("data-theme", "light")
    expect(root).to_have_css("--text", "rgb(34, 34, 34)")


def test_the_frame_follows_the_readers_preference_where_the_page_does(
    page: Page, service: Service, blog: Blog
) -> None:
    blog.pages["/"] = article(
        service, head="<style>:root { color-scheme: light dark } body { color: CanvasText }</style>"
    )
    page.emulate_media(color_scheme="dark")
    page.goto(blog.url())
    root = inside(page).locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-theme", "light")
    page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-theme", "dark")


def test_a_page_that_is_always_light_has_a_light_frame(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service)
    page.emulate_media(color_scheme="dark")
    page.goto(blog.url())
    expect(inside(page).locator("html")).to_have_attribute("data-theme", "light")
    # No ground of its own: a frame whose scheme differs from its element's would get an opaque one.
    assert page.locator("iframe").evaluate("(frame) => getComputedStyle(frame).colorScheme") == "light"


def test_the_theme_attribute_may_change_at_any_time(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service, thread='<comment-thread theme="dark"></comment-thread>')
    frames = asked(page, "/embed?")
    page.goto(blog.url())
    root = inside(page).locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    for theme in ("light", "dark", "auto"):
        page.evaluate(f"document.querySelector('comment-thread').setAttribute('theme', '{theme}')")
        expect(root).to_have_attribute("data-theme", "light" if theme == "auto" else theme)
    assert len(frames) == 1


def test_the_frame_wears_the_pages_font_text_and_link_colours(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "See https://good.example/")
    blog.pages["/"] = article(
        service,
        style="font-family: 'Varela Round', Georgia, serif; color: rgb(60, 20, 20);",
        head="<style>a { color: rgb(200, 0, 80) } body { --comments-radius: 3px }</style>",
    )
    page.goto(blog.url())
    thread = inside(page)
    expect(thread.locator("body")).to_have_css("font-family", '"Varela Round", Georgia, serif')
    expect(thread.locator("body")).to_have_css("color", "rgb(60, 20, 20)")
    expect(thread.locator(".comment .text a")).to_have_css("color", "rgb(200, 0, 80)")
    expect(thread.get_by_label("Your comment")).to_have_css("border-radius", "3px")


@pytest.mark.parametrize(
    "value",
    ["url(https://evil.test/x)", "1px;color:blue", "var(--line)", "image-set('https://evil.test/' 1x)"],
)
def test_a_look_is_a_plain_value(page: Page, service: Service, blog: Blog, value: str) -> None:
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    page.locator("comment-thread iframe").evaluate(
        """(frame, value) => frame.contentWindow.postMessage(
            { commentsvc: "look", look: { font: "Courier", radius: value } }, "*")""",
        value,
    )
    expect(thread.locator("body")).to_have_css("font-family", "Courier")
    assert thread.evaluate("document.documentElement.style.getPropertyValue('--radius')") == ""


@pytest.mark.parametrize(
    ("accent", "words"), [("#ffe100", "black"), ("#700", "white"), ("#777", "black")], ids=str
)
def test_a_button_is_legible_on_any_accent(
    page: Page, service: Service, blog: Blog, accent: str, words: str
) -> None:
    blog.pages["/"] = article(service, head=f"<style>body {{ --comments-accent: {accent} }}</style>")
    page.goto(blog.url())
    thread = inside(page)
    thread.get_by_label("Your comment").focus()
    expect(thread.get_by_role("button", name="Post Comment")).to_have_css(
        "color", "lab(0 0 0)" if words == "black" else "lab(100 0 0)"
    )


# --- The host page.

SHIFTS = """
    window.shifted = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifted += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""
FOOTER = "<footer style='background: #ddd; height: 200px'>The end</footer>"


def test_the_lines_to_paste_move_nothing_of_the_host_page(page: Page, service: Service, blog: Blog) -> None:
    """And where nobody sees it, a short thread takes no more than it needs."""
    write(service, blog, "First!", path="/short")
    write(service, blog, *(f"Comment {number}" for number in range(30)), path="/long")
    lines = embed_lines.thread(service.url)
    page.add_init_script(SHIFTS)
    page.set_viewport_size({"width": 1280, "height": 900})
    for path, before, is_seen in (("/short", "", True), ("/long", "", True), ("/short", LONG_READ, False)):
        intro = f"<p style='height: 8rem'>It is short.</p>{before}"
        blog.pages[path] = article(service, thread=lines, before=intro, after=FOOTER)
        page.goto(blog.url(path))
        if before:
            page.evaluate("scrollTo(0, document.querySelector('#comments').offsetTop - innerHeight - 100)")
        fits(inside(page))
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        assert page.evaluate("shifted") <= 0.02, path
        place = page.locator("#comments").bounding_box()
        assert place is not None
        frame_box = page.locator("iframe").bounding_box()
        assert frame_box is not None
        assert place["height"] == max(frame_box["height"], 810 if is_seen else 0)


def test_a_frame_shows_quiet_bars_until_it_is_painted(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service)
    waiting: list[Route] = []
    page.route("**/embed?*", lambda route: waiting.append(route))
    page.goto(blog.url(), wait_until="commit")
    image = re.compile("linear-gradient")
    expect(page.locator("iframe")).to_have_css("background-image", image)
    expect(page.locator("iframe")).to_have_css("animation-name", "none")
    waiting[0].continue_()
    expect(frame(page).get_by_text("First!")).to_be_visible()
    expect(page.locator("iframe")).to_have_css("background-image", "none")


# --- Which thread.


def test_a_canonical_link_names_the_thread_where_it_is_of_the_same_site(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "About the article", path="/article")
    write(service, blog, "About this page", path="/here")
    for origin, told in (
        (blog.origin, "About the article"),
        ("https://elsewhere.example", "About this page"),
    ):
        blog.pages["/here"] = article(service, head=f'<link rel="canonical" href="{origin}/article">')
        page.goto(blog.url("/here"))
        expect(frame(page).locator(".comment .text")).to_have_text([told])


def test_what_advertisers_hang_on_a_link_makes_no_other_thread(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "About the article", path="/article/?page=2")
    blog.pages["/article/"] = article(service)
    page.goto(blog.url("/article/?utm_source=mail&page=2&fbclid=abc"))
    expect(frame(page).locator(".comment .text")).to_have_text(["About the article"])


@pytest.mark.parametrize(
    ("head", "thread", "title"),
    [
        ("", "<comment-thread></comment-thread>", "An article"),
        (
            '<meta property="og:title" content="Only its title">',
            '<div id="comments"></div>',
            "Only its title",
        ),
        ("", '<div id="comments" data-page-title="A given title"></div>', "A given title"),
    ],
    ids=["document", "og", "attribute"],
)
def test_the_first_comment_brings_the_articles_title(
    page: Page, service: Service, blog: Blog, head: str, thread: str, title: str
) -> None:
    blog.pages["/"] = article(service, head=head, thread=thread)
    page.goto(blog.url())
    fill_in(inside(page), "First!")
    post(inside(page))
    expect(frame(page).get_by_text("First!")).to_be_visible()
    assert thread_titles(service) == [title]


# --- When something is not as it should be.


def test_a_website_that_is_not_registered_is_told_in_the_console_what_to_do(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    blog.pages["/"] = article(service)
    origin = blog.origin.replace("localhost", "stranger.test")
    with page.expect_console_message(lambda message: message.type == "warning") as warning:
        page.goto(f"{origin}/")
    assert f'commentsvc site add "My blog" {origin}' in warning.value.text
    assert f"{service.url}/admin" in warning.value.text
    expect(frame(page).locator("body")).to_have_text("There are no comments on this page.")
    fits(inside(page))
    complaints[:] = [complaint for complaint in complaints if "404" not in complaint]


def test_a_service_that_does_not_answer_leaves_a_quiet_line_and_another_try(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = article(service)
    page.clock.install()
    page.route(f"{service.url}/embed?*", lambda route: route.abort())
    page.goto(blog.url())
    page.locator("iframe").wait_for()
    page.wait_for_load_state()
    page.clock.fast_forward(25_000)
    expect(page.get_by_text("The comments cannot be shown right now.")).to_be_visible()
    expect(page.locator("iframe")).to_have_count(0)
    page.unroute_all()
    page.clock.resume()
    page.get_by_role("button", name="Try again").click()
    expect(frame(page).get_by_text("First!")).to_be_visible()
    complaints.clear()


STRICT = (
    "default-src 'none'; script-src {service}; frame-src {service}; connect-src {service}; "
    "require-trusted-types-for 'script'"
)


def test_a_page_with_a_strict_policy_needs_three_lines_and_no_style(
    page: Page, service: Service, blog: Blog
) -> None:
    write(service, blog, "First!", "Second!")
    blog.headers["Content-Security-Policy"] = STRICT.format(service=service.url)
    # No style of the page's own, which its policy would refuse.
    blog.pages["/"] = (
        '<!doctype html><title>An article</title><p><span data-comment-count="/"></span></p>'
        f'<div id="comments"></div><script src="{service.url}/embed.js" async></script>'
    )
    page.goto(blog.url())
    expect(frame(page).get_by_text("First!")).to_be_visible()
    expect(page.locator("[data-comment-count]")).to_have_text("2")
    fits(inside(page))


@pytest.mark.parametrize(
    "headers",
    [
        {"Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin"},
        {"Cross-Origin-Embedder-Policy": "credentialless", "Cross-Origin-Opener-Policy": "same-origin"},
        {"Cross-Origin-Opener-Policy": "same-origin"},
    ],
    ids=["require-corp", "credentialless", "opener"],
)
def test_a_page_that_isolates_itself_shows_its_thread(
    page: Page, service: Service, blog: Blog, headers: dict[str, str]
) -> None:
    write(service, blog, "First!")
    blog.headers.update(headers)
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    assert page.evaluate("crossOriginIsolated") == ("Cross-Origin-Embedder-Policy" in headers)
    thread = inside(page)
    expect(thread.get_by_text("First!")).to_be_visible()
    fill_in(thread, "Second!")
    post(thread)
    expect(thread.get_by_text("Your comment is posted.")).to_be_attached()
    fits(thread)


def test_a_page_of_no_registered_origin_cannot_frame_a_thread(
    page: Page, service: Service, blog: Blog, complaints: list[str]
) -> None:
    write(service, blog, "First!")
    blog.pages["/trap"] = f'<!doctype html><iframe src="{service.url}/embed?url={blog.url()}"></iframe>'
    page.goto(blog.url("/trap"))
    expect(page.frame_locator("iframe").get_by_text("First!")).to_be_visible()
    with page.expect_event("console", lambda message: "frame-ancestors" in message.text):
        page.goto(blog.url("/trap").replace("localhost", "stranger.test"))
    expect(page.frame_locator("iframe").get_by_text("First!")).to_have_count(0)
    complaints.clear()


# --- Messages.


def test_the_page_listens_to_its_own_frame_alone(page: Page, service: Service, blog: Blog) -> None:
    """Not to itself, not to another frame of the service, not to the frame's place under another origin."""
    write(service, blog, "First!")
    blog.pages["/liar"] = (
        "<!doctype html><script>"
        "for (const message of [{ commentsvc: 'height', height: 9999 }, { commentsvc: 'scroll', top: 5000 }])"
        "  parent.postMessage(message, '*');"
        "parent.postMessage('lied', '*');"
        "</script>"
    )
    blog.pages["/"] = article(
        service,
        after='<iframe src="/liar"></iframe>'
        f'<iframe name="twin" src="{service.url}/embed?url={blog.url("/other")}"></iframe>{LONG_READ}',
    )
    page.add_init_script(
        "addEventListener('message', ({ data }) => { if (data === 'lied') window.lied = true; })"
    )
    page.goto(blog.url())
    thread = inside(page)
    fits(thread)
    height = thread.evaluate("innerHeight")
    page.wait_for_function("window.lied")
    twin = page.frame("twin")
    assert twin is not None
    page.evaluate("addEventListener('message', ({ data }) => { window.last = data; })")
    for message in ("{ commentsvc: 'height', height: 9999 }", "{ commentsvc: 'scroll', top: 5000 }"):
        page.evaluate(f"postMessage({message}, '*')")
        twin.evaluate(f"parent.postMessage({message}, '*')")
    twin.evaluate("parent.postMessage('end', '*')")
    page.wait_for_function("window.last === 'end'")
    assert thread.evaluate("innerHeight") == height
    assert page.evaluate("scrollY") == 0


def test_a_frame_listens_to_the_page_around_it_alone(page: Page, service: Service, blog: Blog) -> None:
    ids = write(service, blog, *(f"Comment {number}" for number in range(3)))
    look = "{ commentsvc: 'look', look: { theme: 'dark', text: 'rgb(1, 2, 3)' } }"
    blog.pages["/"] = article(
        service,
        thread="<comment-thread></comment-thread>",
        after='<iframe name="other" src="/other"></iframe>',
    )
    blog.pages["/other"] = "<!doctype html><title>Other</title>"
    page.goto(blog.url())
    thread = inside(page)
    other = page.frame("other")
    assert other is not None
    thread.evaluate("addEventListener('message', ({ data }) => { window.last = data; })")
    go = f"{{ commentsvc: 'go', id: {ids[2]} }}"
    for message in (look, go, "'end'"):
        other.evaluate(
            f"parent.document.querySelector('comment-thread').shadowRoot.querySelector('iframe')"
            f".contentWindow.postMessage({message}, '*')"
        )
        thread.evaluate(f"postMessage({message}, '*')")
    thread.wait_for_function("() => window.last === 'end'")
    expect(thread.locator("html")).to_have_attribute("data-theme", "light")
    expect(thread.locator(".highlighted")).to_have_count(0)
    page.locator("comment-thread iframe").evaluate(
        f"(frame) => frame.contentWindow.postMessage({look}, '*')"
    )  # it is this page's word that counts
    expect(thread.locator("html")).to_have_attribute("data-theme", "dark")


# --- Counts.


def test_all_counts_of_a_page_are_asked_for_in_one_request(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "One", "Two", path="/two")
    write(service, blog, "One", path="/one")
    write(service, blog, "A", "B", "C", path="/page", page_id="three & more")
    blog.pages["/"] = article(
        service,
        thread="",
        before='<p data-comment-count="/two">?</p><p data-comment-count="/one/?utm_source=x">?</p>'
        '<p data-comment-count="/none">?</p><p data-comment-count="/two">?</p>'
        '<p data-comment-count="/page" data-thread-id="three &amp; more">?</p>'
        '<p data-comment-count="https://elsewhere.example/">?</p>',
    )
    requests = asked(page, "/counts?")
    page.goto(blog.url())
    expect(page.locator("[data-comment-count]")).to_have_text(["2", "1", "0", "2", "3", "0"])
    assert len(requests) == 1


def test_counts_of_a_long_list_are_asked_for_in_pieces(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "One", path=f"/{'long-' * 12}0")
    write(service, blog, "One", "Two", path=f"/{'long-' * 12}299")
    spans = (f'<p data-comment-count="/{"long-" * 12}{number}">?</p>' for number in range(300))
    blog.pages["/"] = article(service, thread="", before="".join(spans))
    requests = asked(page, "/counts?")
    page.goto(blog.url())
    expect(page.locator("[data-comment-count]")).to_have_text(["1", *["0"] * 298, "2"])
    assert max(len(url) for url in requests) < 5000
    assert len(requests) < 10


def test_a_page_without_counts_asks_for_none(page: Page, service: Service, blog: Blog) -> None:
    blog.pages["/"] = article(service)
    requests = asked(page, "/counts")
    page.goto(blog.url())
    inside(page)
    assert requests == []


def test_reading_and_writing_leave_no_cookie(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First!", ago=timedelta(days=2))
    blog.pages["/"] = article(service)
    page.goto(blog.url())
    thread = inside(page)
    fill_in(thread, "Second!")
    post(thread)
    expect(thread.get_by_text("Your comment is posted.")).to_be_attached()
    assert page.context.cookies() == []
    assert len(stored(service)) == 2
