"""`load="click"`: not one request reaches the service before the reader asks for the comments."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.accessibility import violations
from tests.support.browser import Blog, Service
from tests.support.frame_pages import LONG_READ, frame, inside, write

THREAD = '<comment-thread load="click"></comment-thread>'
DIV = '<div id="comments" data-load="click"></div>'
COUNT = '<p><span data-comment-count="/">Comments</span></p>'


@pytest.fixture
def requests(page: Page, service: Service) -> list[str]:
    """The requests of the browser to the service, by path."""
    seen: list[str] = []
    page.on(
        "request",
        lambda request: (
            seen.append(request.url.removeprefix(service.url))
            if request.url.startswith(service.url)
            else None
        ),
    )
    return seen


def own_copy(service: Service, page: Page, thread: str, *, before: str = "", head: str = "") -> str:
    """Return an article whose script comes from the blog's own server, as the service gives it out."""
    text = service.app.test_client().get("/embed.js", base_url=service.url).text
    page.route("**/assets/embed.js", lambda route: route.fulfill(content_type="text/javascript", body=text))
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>An article</title>
<meta name="viewport" content="width=device-width, initial-scale=1">{head}</head>
<body><main><h1>An article</h1>{before}{thread}</main>
<script async src="/assets/embed.js"></script></body></html>"""


@pytest.mark.parametrize("thread", [THREAD, DIV], ids=["element", "div"])
def test_nothing_is_requested_before_the_click_and_all_after_it(
    page: Page, service: Service, blog: Blog, requests: list[str], thread: str
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = own_copy(service, page, thread, before=COUNT)
    page.goto(blog.url(), wait_until="networkidle")
    button = page.get_by_role("button", name="Show comments")
    expect(button).to_be_visible()
    page.evaluate("commentsvc.refresh(); document.title = 'Another'; history.pushState({}, '', '?page=2')")
    page.evaluate("document.body.append(document.createElement('div'))")
    page.mouse.wheel(0, 1000)
    page.wait_for_timeout(500)  # there is no event of what does not happen
    expect(page.locator("[data-comment-count]")).to_have_text("Comments")
    assert requests == []
    page.evaluate("history.replaceState({}, '', '/')")
    button.click()
    expect(frame(page).get_by_text("First!")).to_be_visible()
    expect(page.locator("[data-comment-count]")).to_have_text("1")
    expect(button).to_have_count(0)


def test_the_script_is_the_only_request_if_it_comes_from_the_service(
    page: Page, service: Service, blog: Blog, requests: list[str]
) -> None:
    write(service, blog, "First!")
    text = own_copy(service, page, THREAD)
    blog.pages["/"] = text.replace("/assets/embed.js", f"{service.url}/embed.js")
    page.goto(blog.url(), wait_until="networkidle")
    expect(page.get_by_role("button", name="Show comments")).to_be_visible()
    assert requests == ["/embed.js"]


def test_a_permalink_is_not_a_click_but_leads_to_the_comment_after_one(
    page: Page, service: Service, blog: Blog, requests: list[str]
) -> None:
    *_, last = write(service, blog, *(f"Comment {number}\n\n{'Long. ' * 200}" for number in range(12)))
    blog.pages["/"] = own_copy(service, page, THREAD, before=LONG_READ)
    page.goto(blog.url(f"/#comment-{last}"), wait_until="networkidle")
    button = page.get_by_role("button", name="Show comments")
    expect(button).to_be_in_viewport()
    page.evaluate(f"location.hash = '#comment-{last - 1}'; location.hash = '#comment-{last}'")
    page.wait_for_timeout(300)
    assert requests == []
    button.click()
    expect(frame(page).locator(f"#comment-{last}")).to_be_in_viewport()


def test_it_works_by_keyboard_and_keeps_the_focus(page: Page, service: Service, blog: Blog) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = own_copy(service, page, THREAD)
    page.goto(blog.url())
    expect(page.get_by_role("button", name="Show comments")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(frame(page).get_by_text("First!")).to_be_visible()
    page.wait_for_function("document.activeElement.localName === 'comment-thread'")
    thread = inside(page)
    page.keyboard.press("Tab")
    thread.wait_for_function("document.hasFocus() && document.activeElement !== document.body")


def test_one_click_loads_all_threads_of_the_page(
    page: Page, service: Service, blog: Blog, requests: list[str]
) -> None:
    write(service, blog, "About one", page_id="one")
    write(service, blog, "About two", page_id="two")
    threads = "".join(
        f'<comment-thread load="click" thread-id="{name}"></comment-thread>' for name in ("one", "two")
    )
    blog.pages["/"] = own_copy(service, page, threads)
    page.goto(blog.url(), wait_until="networkidle")
    expect(page.get_by_role("button", name="Show comments")).to_have_count(2)
    assert requests == []
    page.get_by_role("button").nth(1).click()
    expect(frame(page, 0).get_by_text("About one")).to_be_visible()
    expect(frame(page, 1).get_by_text("About two")).to_be_visible()


def test_a_consent_manager_takes_the_attribute_away(
    page: Page, service: Service, blog: Blog, requests: list[str]
) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = own_copy(service, page, DIV)
    page.goto(blog.url(), wait_until="networkidle")
    assert requests == []
    page.evaluate("document.getElementById('comments').removeAttribute('data-load')")
    expect(frame(page).get_by_text("First!")).to_be_visible()


def test_a_login_of_the_websites_own_waits_too(
    page: Page, service: Service, blog: Blog, requests: list[str]
) -> None:
    blog.pages["/"] = own_copy(service, page, '<comment-thread load="click" sso="x.y.z"></comment-thread>')
    page.goto(blog.url(), wait_until="networkidle")
    page.evaluate("document.querySelector('comment-thread').setAttribute('sso', 'a.b.c')")
    expect(page.get_by_role("button", name="Show comments")).to_be_visible()
    page.wait_for_timeout(300)
    assert requests == []


@pytest.mark.parametrize(
    "thread",
    [
        '<comment-thread load="click" load-text="Kommentare zeigen">Von comments.example.</comment-thread>',
        '<div id="comments" data-load="click" data-load-text="Kommentare zeigen">Von comments.example.</div>',
    ],
    ids=["element", "div"],
)
def test_its_words_are_the_pages(page: Page, service: Service, blog: Blog, thread: str) -> None:
    write(service, blog, "First!")
    blog.pages["/"] = own_copy(service, page, thread)
    page.goto(blog.url())
    expect(page.get_by_text("Von comments.example.")).to_be_visible()
    page.get_by_role("button", name="Kommentare zeigen").click()
    expect(frame(page).get_by_text("First!")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("Von comments.example.", use_inner_text=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_button_looks_like_the_page(page: Page, service: Service, blog: Blog, scheme: str) -> None:
    colours = {"light": ("#ffffff", "#333333"), "dark": ("#16181c", "#d6d6d6")}[scheme]
    head = (
        f"<style>body {{ font: 20px Georgia, serif; background: {colours[0]}; color: {colours[1]} }}</style>"
    )
    blog.pages["/"] = own_copy(service, page, THREAD, head=head)
    page.goto(blog.url())
    button = page.get_by_role("button", name="Show comments")
    expect(button).to_have_css("font-family", "Georgia, serif")
    expect(button).to_have_css("font-size", "20px")
    assert button.evaluate("it => getComputedStyle(it).color") == page.evaluate(
        "getComputedStyle(document.body).color"
    )
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 24
    assert violations(page) == []
